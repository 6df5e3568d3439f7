//! Questions to a person, and lines from stdin.

use std::io::{self, BufRead, IsTerminal, Read, Write};

/// Whether somebody can be asked: who answers must also see the question.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

pub fn ask(question: &str) {
    // A terminal that is gone gives no answer either.
    let _ = write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush());
}

/// The next line of stdin, empty at its end. It is read in a thread of its own: Ctrl-C must not wait for it.
pub async fn line() -> Result<String, String> {
    const LONGEST: u64 = 4096;
    let read = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        io::stdin().lock().take(LONGEST).read_until(b'\n', &mut bytes).map(|_| bytes)
    });
    match read.await {
        Ok(Ok(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
