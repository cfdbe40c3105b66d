//! Sound `.aks` files from random bytes, laid out at random: blanks, line ends, comments and commas wherever they may
//! stand. The bytes are choices, so that proptest can shrink them.

use std::fmt::Write as _;

/// Writes a file.
pub(crate) fn file(choices: &[u8]) -> String {
    let mut writer = Writer { choices, at: 0, out: String::new(), comments: 0 };
    writer.file();
    writer.out
}

struct Writer<'c> {
    choices: &'c [u8],
    at: usize,
    out: String,
    comments: usize,
}

const WORDS: [&str; 10] = ["a", "b-c", "for_", "name", "in", "if", "for", "default", "none", "true"];

impl Writer<'_> {
    /// A choice below `n`; zero, the simplest, when choices run out.
    fn pick(&mut self, n: u8) -> u8 {
        let byte = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte % n
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn one_of(&mut self, texts: &[&str]) {
        let choice = usize::from(self.pick(100)) % texts.len();
        self.put(texts[choice]);
    }

    fn comment(&mut self) -> String {
        self.comments += 1;
        format!("c{} ", self.comments)
    }

    /// What may stand between tokens of one line.
    fn line_gap(&mut self) {
        match self.pick(10) {
            1 => self.put("  "),
            2 => self.put("\t"),
            3 => {
                let comment = self.comment();
                let _ = write!(self.out, " /* {comment}*/");
            }
            4 => {
                let comment = self.comment();
                let _ = write!(self.out, " /* {comment}\n   \"{{ */ ");
            }
            _ => self.put(" "),
        }
    }

    fn line_end(&mut self) {
        match self.pick(8) {
            1 => {
                let comment = self.comment();
                let _ = writeln!(self.out, "# {comment} ({{\"");
            }
            2 => {
                let comment = self.comment();
                let _ = writeln!(self.out, " // {comment}");
            }
            3 => self.put("\r\n"),
            4 => self.put("\n\n\n"),
            _ => self.put("\n"),
        }
    }

    /// What may stand between tokens inside brackets.
    fn gap(&mut self) {
        self.line_gap();
        if self.pick(5) == 1 {
            self.line_end();
            self.line_gap();
        }
    }

    fn some_gap(&mut self, tight: bool) {
        if tight { self.line_gap() } else { self.gap() }
    }

    fn file(&mut self) {
        if self.pick(20) == 1 {
            self.put("\u{feff}");
        }
        let count = self.pick(5);
        for _ in 0..count {
            if self.pick(3) == 1 {
                self.line_end();
            }
            self.block(0);
        }
        if self.pick(3) == 1 {
            self.line_gap();
        }
    }

    fn word(&mut self) {
        self.one_of(&WORDS);
    }

    fn block(&mut self, depth: u8) {
        self.line_gap();
        if depth == 0 && self.pick(4) == 1 {
            self.put("existing");
            self.line_gap();
            self.put(" ");
        }
        self.word();
        for _ in 0..self.pick(3) {
            self.line_gap();
            self.one_of(&["\"label\"", "\"l ü \\\" {\"", "\"\""]);
        }
        self.line_gap();
        self.put("{");
        match self.pick(4) {
            0 => {}
            1 => {
                self.line_gap();
                self.attribute(depth + 1, false);
                self.line_gap();
            }
            _ => {
                self.line_end();
                for _ in 0..self.pick(5) {
                    if depth < 3 && self.pick(3) == 1 {
                        self.block(depth + 1);
                    } else {
                        self.line_gap();
                        self.attribute(depth + 1, true);
                        self.line_end();
                    }
                }
                self.line_gap();
            }
        }
        self.put("}");
        self.line_end();
    }

    fn attribute(&mut self, depth: u8, heredocs: bool) {
        self.word();
        self.line_gap();
        self.put("=");
        self.line_gap();
        if heredocs && self.pick(8) == 1 {
            self.heredoc(depth);
        } else {
            self.expression(depth, true);
        }
    }

    fn heredoc(&mut self, depth: u8) {
        self.one_of(&["<<EOT\n", "<<-EOT\n", "<<EOT\r\n"]);
        for _ in 0..self.pick(4) {
            self.one_of(&["", "  ", "\t"]);
            self.template(depth, false);
            self.one_of(&["\n", "\r\n"]);
        }
        self.put("   EOT");
        // the line ends with it
        if self.pick(2) == 1 {
            self.put(" ");
        }
        self.put("\n");
    }

    fn expression(&mut self, depth: u8, tight: bool) {
        self.unary(depth, tight);
        for _ in 0..self.pick(4).saturating_sub(1) {
            self.put(" ");
            self.some_gap(tight);
            let operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];
            match self.pick(15) {
                13 | 14 if depth < 6 => {
                    self.put("?");
                    self.some_gap(tight);
                    self.expression(depth + 1, tight);
                    self.some_gap(tight);
                    self.put(":");
                }
                operator => self.put(operators[usize::from(operator % 13)]),
            }
            self.some_gap(tight);
            self.unary(depth, tight);
        }
    }

    fn unary(&mut self, depth: u8, tight: bool) {
        match self.pick(8) {
            1 => {
                self.put("!");
                self.some_gap(tight);
            }
            2 => {
                self.put("-");
                self.some_gap(tight);
            }
            _ => {}
        }
        self.operand(depth, tight);
        for _ in 0..self.pick(4).saturating_sub(1) {
            if self.pick(4) == 1 {
                self.some_gap(tight);
            }
            match self.pick(3) {
                0 => {
                    self.put(".");
                    self.word();
                    if depth < 6 && self.pick(3) == 1 {
                        self.arguments(depth + 1);
                    }
                }
                1 if depth < 6 => {
                    self.put("[");
                    self.gap();
                    self.expression(depth + 1, false);
                    self.gap();
                    self.put("]");
                }
                _ => self.put(".x"),
            }
        }
    }

    fn operand(&mut self, depth: u8, _tight: bool) {
        let choice = if depth >= 6 { self.pick(4) } else { self.pick(11) };
        match choice {
            1 => self.one_of(&["0", "12", "0.5", "1e3", "1.5E-7", "007"]),
            2 => {
                self.put("\"");
                self.template(depth, true);
                self.put("\"");
            }
            3 => self.one_of(&["\"\"", "\"text\"", "\"é\\n\\u00e9$${x} 100%\""]),
            4 => {
                self.put("(");
                self.gap();
                self.expression(depth + 1, false);
                self.gap();
                self.put(")");
            }
            5 | 6 => self.list(depth + 1),
            7 | 8 => self.object(depth + 1),
            9 => self.for_expression(depth + 1),
            10 => {
                self.word();
                if self.pick(4) == 1 {
                    self.line_gap();
                }
                self.arguments(depth + 1);
            }
            _ => self.word(),
        }
    }

    fn listed(&mut self, count: u8, mut each: impl FnMut(&mut Self)) {
        self.gap();
        for at in 0..count {
            each(self);
            self.gap();
            if at + 1 < count || self.pick(3) == 1 {
                self.put(",");
                self.gap();
            }
        }
    }

    fn list(&mut self, depth: u8) {
        self.put("[");
        let count = self.pick(4);
        self.listed(count, |writer| {
            // `[for x …` would start a `for` expression
            writer.put("0 +");
            writer.expression(depth, false);
        });
        self.put("]");
    }

    fn arguments(&mut self, depth: u8) {
        self.put("(");
        let count = self.pick(3);
        self.listed(count, |writer| {
            if writer.pick(3) == 1 {
                writer.word();
                writer.gap();
                writer.put("=");
                writer.gap();
            }
            if depth < 4 && writer.pick(10) == 1 {
                writer.heredoc(depth);
            } else {
                writer.expression(depth, false);
            }
        });
        self.put(")");
    }

    fn object(&mut self, depth: u8) {
        self.put("{");
        self.gap();
        for _ in 0..self.pick(4) {
            match self.pick(5) {
                1 => self.put("\"k e\""),
                2 => self.put("5"),
                3 => {
                    self.put("(");
                    self.gap();
                    self.expression(depth, false);
                    self.gap();
                    self.put(")");
                }
                _ => self.word(),
            }
            self.line_gap();
            self.put("=");
            self.line_gap();
            if depth < 4 && self.pick(10) == 1 {
                self.heredoc(depth);
            } else {
                self.expression(depth, true);
                self.line_gap();
                if self.pick(2) == 1 { self.put(",") } else { self.line_end() }
            }
            self.gap();
        }
        self.put("}");
    }

    fn for_expression(&mut self, depth: u8) {
        let object = self.pick(2) == 1;
        self.put(if object { "{" } else { "[" });
        self.gap();
        self.put("for ");
        self.for_rest(depth);
        self.gap();
        self.put(":");
        self.gap();
        self.expression(depth, false);
        if object {
            self.gap();
            self.put("=>");
            self.gap();
            self.expression(depth, false);
            if self.pick(3) == 1 {
                self.gap();
                self.put("...");
            }
        }
        if self.pick(3) == 1 {
            self.gap();
            self.put(" if ");
            self.gap();
            self.expression(depth, false);
        }
        self.gap();
        self.put(if object { "}" } else { "]" });
    }

    fn for_rest(&mut self, depth: u8) {
        self.gap();
        if self.pick(2) == 1 {
            self.put("key");
            self.gap();
            self.put(",");
            self.gap();
        }
        self.put("value ");
        self.gap();
        self.put("in ");
        self.gap();
        self.expression(depth, false);
    }

    fn template(&mut self, depth: u8, quoted: bool) {
        for _ in 0..self.pick(4) {
            match self.pick(8) {
                1 => self.put(" two  words "),
                2 => self.put("$${ %%{ $ % $$ é"),
                3 if quoted => self.put("\\\"\\\\\\t\\U0001F600"),
                4 | 5 if depth < 5 => {
                    self.one_of(&["${", "${~"]);
                    self.gap();
                    self.expression(depth + 2, false);
                    self.gap();
                    self.one_of(&["}", "~}"]);
                }
                6 if depth < 5 => {
                    self.put("%{ if ");
                    self.expression(depth + 2, false);
                    self.put(" ~}");
                    self.template(depth + 2, quoted);
                    if self.pick(2) == 1 {
                        self.put("%{ else }");
                        self.template(depth + 2, quoted);
                    }
                    self.put("%{ endif }");
                }
                7 if depth < 5 => {
                    self.put("%{~ for ");
                    self.for_rest(depth + 2);
                    self.put(" }");
                    self.template(depth + 2, quoted);
                    self.put("%{endfor~}");
                }
                _ => self.put("text"),
            }
        }
    }
}
