//! Constraints on versions: `>= 0.1, < 2`, `~> 0.1`, `0.1.0`. Not full semver: pre-releases are not ordered.

/// Whether a version satisfies every part of a constraint; none if the constraint is none.
pub(crate) fn satisfies(version: &str, constraint: &str) -> Option<bool> {
    let version = numbers(version)?.0;
    let mut all = true;
    for part in constraint.split(',') {
        let part = part.trim();
        let operators = ["~>", ">=", "<=", "!=", ">", "<", "="];
        let operator = operators.into_iter().find(|operator| part.starts_with(operator)).unwrap_or("");
        let (wanted, given) = numbers(part.strip_prefix(operator).unwrap_or(part).trim())?;
        all &= match operator {
            ">=" => version >= wanted,
            "<=" => version <= wanted,
            "!=" => version != wanted,
            ">" => version > wanted,
            "<" => version < wanted,
            // The last part that is written may grow, those before it may not.
            "~>" => {
                version >= wanted
                    && version
                        .iter()
                        .zip(wanted)
                        .take(given.saturating_sub(1).max(1))
                        .all(|(ours, theirs)| *ours == theirs)
            }
            _ => version.iter().zip(wanted).take(given).all(|(ours, theirs)| *ours == theirs),
        };
    }
    Some(all)
}

/// Up to three numbers, and how many were written.
fn numbers(text: &str) -> Option<([u64; 3], usize)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let release = text.split(['-', '+']).next()?;
    let mut all = [0; 3];
    let mut count = 0;
    for part in release.split('.') {
        *all.get_mut(count)? = part.parse().ok()?;
        count += 1;
    }
    Some((all, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(constraint: &str, expected: Option<bool>) {
        assert_eq!(satisfies("0.3.1", constraint), expected, "{constraint}");
    }

    #[test]
    fn constraints() {
        check(">= 0.1", Some(true));
        check(">= 0.1, < 0.3", Some(false));
        check("~> 0.1", Some(true));
        check("~> 0.2.0", Some(false));
        check("~> 1.0", Some(false));
        check("0.3", Some(true));
        check("= 0.3.1", Some(true));
        check("!= 0.3.1", Some(false));
        check("0.3.2", Some(false));
        check("latest", None);
        check("", None);
        check(">= 1.2.3.4", None);
    }
}
