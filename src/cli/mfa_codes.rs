//! Asks the person at the terminal for codes of MFA devices, for profiles that need one.

use std::fmt;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::mfa_delete::code::{Codes, Source};
use super::progress::Progress;
use crate::aws::credentials::AskCode;

pub struct Terminal {
    progress: Progress,
    /// AWS takes each code once, so none is given twice.
    codes: Mutex<Codes>,
}

impl Terminal {
    pub fn new(progress: Progress) -> Self {
        Self { progress, codes: Mutex::new(Codes::new(Source::Terminal)) }
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

impl AskCode for Terminal {
    fn can_ask(&self) -> bool {
        Source::Terminal.can_ask()
    }

    fn code<'a>(&'a self, question: &'a str) -> BoxFuture<'a, Result<String, String>> {
        async move {
            let mut codes = self.codes.lock().await;
            self.progress.hide();
            let code = codes.next(question).await;
            self.progress.show();
            code.map(|code| code.expose().to_owned()).map_err(|error| error.to_string())
        }
        .boxed()
    }
}
