//! The token that says to a server who asks. It comes from the environment or from a file, so that nobody finds it in a
//! list of processes, in a shell's history, or in an address.

use std::fmt;
use std::path::Path;

use crate::cli::CliError;

/// Where it is looked for in the environment.
const VARIABLE: &str = "WIRETAIL_TOKEN";

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

/// Not what it is.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// The one in `file`, if that was named, else the one in the environment, if there is one.
    pub(super) fn find(file: Option<&Path>) -> Result<Option<Self>, CliError> {
        let (by, text) = match (file, std::env::var_os(VARIABLE)) {
            (Some(file), _) => {
                let by = format!("--token-file {}", file.display());
                let text = std::fs::read_to_string(file)
                    .map_err(|error| CliError::Usage(format!("{by}: {error}.")))?;
                (by, text)
            }
            (None, Some(value)) => (VARIABLE.to_owned(), value.to_string_lossy().into_owned()),
            (None, None) => return Ok(None),
        };
        match Self::parse(&text) {
            Some(token) => Ok(Some(token)),
            None => {
                let what =
                    "there is no token in it, which is one line of letters, digits and signs, without blanks";
                Err(CliError::Usage(format!("{by}: {what}.")))
            }
        }
    }

    /// White space around it, such as the end of the line, is not part of it.
    fn parse(text: &str) -> Option<Self> {
        let token = text.trim();
        let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then(|| Self(token.to_owned()))
    }

    /// What it is sent as (RFC 6750 §2.1).
    pub(super) fn field(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(Token::parse(" a-b_c \r\n").map(|token| token.field()).as_deref(), Some("Bearer a-b_c"));
        for bad in ["", " \n", "a b", "a\nb", "\u{e9}", "a\0"] {
            assert_eq!(Token::parse(bad), None, "{bad:?}");
        }
        assert_eq!(format!("{:?}", Token::parse("secret")), "Some(Token)");
    }
}
