//! The codes of the MFA device: from the terminal or from stdin, never from argv, the environment or a file. They are
//! not hidden while they are typed: once sent a code is worth nothing, and so the terminal needs no restoring.

use crate::cli::ask::{ask, can_ask, line};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Terminal,
    /// One a line.
    Stdin,
}

impl Source {
    /// Whether somebody can be asked: who answers must also see the question.
    pub fn can_ask(self) -> bool {
        self == Self::Stdin || can_ask()
    }
}

/// Six digits. It has no `Debug`: nothing may show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The error says nothing of the text, which may be a password.
    fn parse(line: &str) -> Result<Self, NoCode> {
        let text = line.trim();
        let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { Ok(Self(text.to_owned())) } else { Err(NoCode::NotSixDigits) }
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Why there is no code to send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    #[error("a code is 6 digits without anything between them, and this line is not")]
    NotSixDigits,
    #[error("this code was sent already, and each works once: wait for the next one")]
    Used,
    #[error("there is no further code: the input is at its end")]
    End,
    #[error("the code could not be read: {0}")]
    Unreadable(String),
}

/// Gives codes, none twice.
pub struct Codes {
    source: Source,
    used: Vec<Code>,
}

impl Codes {
    pub fn new(source: Source) -> Self {
        Self { source, used: Vec::new() }
    }

    /// A person is asked again until the code can be sent; a machine's mistake ends it.
    pub async fn next(&mut self, question: &str) -> Result<Code, NoCode> {
        loop {
            if self.source == Source::Terminal {
                ask(question);
            }
            match (next_line().await.and_then(|line| self.take(&line)), self.source) {
                (Err(mistake @ (NoCode::NotSixDigits | NoCode::Used)), Source::Terminal) => eprintln!("{mistake}"),
                (answer, _) => return answer,
            }
        }
    }

    fn take(&mut self, line: &str) -> Result<Code, NoCode> {
        let code = Code::parse(line)?;
        if self.used.contains(&code) {
            return Err(NoCode::Used);
        }
        self.used.push(code.clone());
        Ok(code)
    }
}

async fn next_line() -> Result<String, NoCode> {
    let line = line().await.map_err(NoCode::Unreadable)?;
    if line.is_empty() { Err(NoCode::End) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_ascii_digits() {
        for good in ["123456", "000000\n", " 123456\r\n"] {
            assert_eq!(Code::parse(good).map(|code| code.expose().to_owned()), Ok(good.trim().to_owned()), "{good:?}");
        }
        for bad in ["12345", "1234567", "12345a", "123 456", "", "\n", "１２３４５６", "+12345", "-12345", "0x1234"]
        {
            assert_eq!(Code::parse(bad).map(|code| code.expose().to_owned()), Err(NoCode::NotSixDigits), "{bad:?}");
        }
    }

    #[test]
    fn no_code_is_given_twice() {
        let mut codes = Codes::new(Source::Stdin);
        let mut take = |line| codes.take(line).map(|code| code.expose().to_owned());
        assert_eq!(take("123456"), Ok("123456".to_owned()));
        assert_eq!(take("654321"), Ok("654321".to_owned()));
        assert_eq!(take(" 123456 "), Err(NoCode::Used));
    }
}
