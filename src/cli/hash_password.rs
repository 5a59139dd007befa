//! `wiretail hash-password`: what to write into a configuration for a password, or a token and what to write for it.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::CliError;
use crate::app::access::password::{LONGEST, Password};
use crate::app::access::secret::{Fingerprint, Secret};

/// What can be typed for `wiretail hash-password`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make a token for curl and wiretail cat instead, and print what to write for it
    #[arg(long)]
    token: bool,
}

/// Asks for a password, twice on a terminal and without showing it, else takes the first line of standard input; prints
/// its argon2id hash. Or makes a token, and prints it with its SHA-256.
///
/// # Errors
/// If there is no password, or two that differ.
pub fn run(args: &Args) -> Result<(), CliError> {
    let mut out = io::stdout();
    if args.token {
        let token = Secret::new();
        let fingerprint = Fingerprint::of(token.as_str());
        writeln!(out, "{}", token.as_str())?;
        writeln!(out, "tokens = [\"{fingerprint}\"]")?;
        return Ok(());
    }
    let password = if io::stdin().is_terminal() { ask()? } else { first_line()? };
    let hash = Password::of(&password).map_err(|why| CliError::Usage(format!("{why}.")))?;
    writeln!(out, "{hash}")?;
    Ok(())
}

fn first_line() -> Result<String, CliError> {
    let mut line = String::new();
    // With room for a line end, and for one byte too many to be noticed.
    io::stdin().lock().take(LONGEST as u64 + 3).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask() -> Result<String, CliError> {
    let quiet = Quiet::begin()?;
    let password = quiet.ask("Password: ")?;
    if quiet.ask("Once more: ")? != password {
        return Err(CliError::Usage("these were two different passwords.".to_owned()));
    }
    Ok(password)
}

/// A terminal that does not show what is typed, and leaves even Ctrl-C to us: whoever gives up finds it as it was.
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn begin() -> Result<Self, CliError> {
        let before = tcgetattr(io::stdin()).map_err(io::Error::from)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet).map_err(io::Error::from)?;
        Ok(Self { before })
    }

    fn ask(&self, prompt: &str) -> Result<String, CliError> {
        let mut err = io::stderr();
        write!(err, "{prompt}")?;
        err.flush()?;
        let line = typed(&mut io::stdin().lock());
        writeln!(err)?;
        line
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

/// One line as it is typed, key by key.
fn typed(keys: &mut impl Read) -> Result<String, CliError> {
    let mut line = Vec::new();
    loop {
        let mut key = [0];
        if keys.read(&mut key)? == 0 {
            return Err(CliError::Failed("there is no password.".to_owned()));
        }
        match key[0] {
            b'\r' | b'\n' => break,
            // Ctrl-C, Ctrl-D, Ctrl-\.
            3 | 4 | 28 => return Err(CliError::Failed("given up.".to_owned())),
            // Backspace, in both of its forms: the last character, whose first byte is no continuation of UTF-8.
            8 | 127 => while line.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            21 => line.clear(),
            key => line.push(key),
        }
    }
    String::from_utf8(line).map_err(|_| CliError::Usage("a password is text in UTF-8.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_key_by_key() {
        let line = |keys: &[u8]| typed(&mut &keys[..]).ok();
        assert_eq!(line(b"secret\nmore").as_deref(), Some("secret"));
        assert_eq!(line("a\u{e9}\u{7f}b\u{8}\u{8}\u{8}c\r".as_bytes()).as_deref(), Some("c"));
        assert_eq!(line(b"wrong\x15right\n").as_deref(), Some("right"));
        for given_up in [&b"abc"[..], b"abc\x03", b"\x04", b"\xff\n"] {
            assert_eq!(line(given_up), None, "{given_up:?}");
        }
    }
}
