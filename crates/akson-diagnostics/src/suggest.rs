//! Did you mean: the nearest of the words that would have been right. Not which words those are.

/// The candidate nearest to `word`, if one is near enough to be a misspelling of it: at most a third of
/// its length in edits. Of equals, the first in alphabetical order.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    // Of one letter nothing is left once it is replaced.
    let limit = (length.max(3) / 3).min(4).min(length.saturating_sub(1));
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}
