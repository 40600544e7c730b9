//! SPDX licence expressions, as far as crates use them.

/// The expression in the present form: older crates write `MIT/Apache-2.0`.
pub(crate) fn normalised(expression: &str) -> String {
    expression.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

/// Whether an expression can be satisfied with licences of `accepted` alone. What cannot be read cannot be satisfied.
pub(super) fn is_accepted(expression: &str, accepted: &[&str]) -> bool {
    let spaced = normalised(expression).replace('(', " ( ").replace(')', " ) ");
    let mut words = Words { words: spaced.split_ascii_whitespace().collect(), at: 0, accepted };
    words.any() == Some(true) && words.at == words.words.len()
}

struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
    accepted: &'a [&'a str],
}

impl Words<'_> {
    fn any(&mut self) -> Option<bool> {
        let mut accepted = self.all()?;
        while self.take("OR") {
            accepted |= self.all()?;
        }
        Some(accepted)
    }

    fn all(&mut self) -> Option<bool> {
        let mut accepted = self.one()?;
        while self.take("AND") {
            accepted &= self.one()?;
        }
        Some(accepted)
    }

    /// A licence with its exception, or an expression in brackets.
    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let accepted = self.any()?;
            return self.take(")").then_some(accepted);
        }
        let mut licence = (*self.words.get(self.at)?).to_owned();
        self.at += 1;
        if self.take("WITH") {
            licence = format!("{licence} WITH {}", self.words.get(self.at)?);
            self.at += 1;
        }
        Some(self.accepted.contains(&licence.as_str()))
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.get(self.at) == Some(&word);
        self.at += usize::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_accepted_if_it_can_be_satisfied() {
        let accepted = |expression| is_accepted(expression, &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]);
        for expression in [
            "MIT",
            "GPL-3.0-only OR MIT",
            "GPL-2.0/MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0-only",
            "(MIT OR GPL-3.0-only) AND Apache-2.0",
        ] {
            assert!(accepted(expression), "{expression}");
        }
        for expression in
            ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "MIT WITH exception", "(MIT", "MIT OR", "MIT MIT", ""]
        {
            assert!(!accepted(expression), "{expression}");
        }
    }
}
