//! What is printed: log text on standard output, and what is to be said about it on standard error.
//!
//! Text comes from somebody else, and a terminal does what it is told. So nothing gets there that could tell it anything
//! but a colour.

use std::io::{self, IsTerminal, Write};

use super::link::Trouble;

/// Says something beside the log. That nobody listens to it is no reason to end.
pub(super) fn say(what: &str) {
    let _ = writeln!(io::stderr(), "wiretail: {what}");
}

/// One line of somebody else's, fit for a terminal.
pub(super) fn clean_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// Prints log text. On a terminal, control characters other than line ends, tabs and colours are shown as pictures:
/// a log must not be able to drive the terminal.
pub(super) struct Printer {
    out: io::BufWriter<io::Stdout>,
    escapes: Option<Escapes>,
}

impl Printer {
    pub(super) fn new() -> Self {
        let stdout = io::stdout();
        let escapes = stdout.is_terminal().then(Escapes::default);
        Self { out: io::BufWriter::with_capacity(64 * 1024, stdout), escapes }
    }

    pub(super) fn print(&mut self, text: &str) -> Result<(), Trouble> {
        let written = match &mut self.escapes {
            None => self.out.write_all(text.as_bytes()),
            Some(escapes) => self.out.write_all(escapes.clean(text).as_bytes()),
        };
        written.map_err(|_| Trouble::ReaderLeft)
    }

    pub(super) fn flush(&mut self) -> Result<(), Trouble> {
        self.out.flush().map_err(|_| Trouble::ReaderLeft)
    }
}

/// Lets colours (`ESC [ digits and ; m`) through and nothing else. A sequence cut in two by the network is held back.
#[derive(Debug, Default)]
struct Escapes {
    held: String,
}

impl Escapes {
    fn clean(&mut self, text: &str) -> String {
        const LONGEST: usize = 32;
        let mut clean = String::with_capacity(text.len());
        for c in text.chars() {
            let continues = match self.held.len() {
                0 => c == '\x1b',
                1 => c == '[' && self.held == "\x1b",
                len => len < LONGEST && (c.is_ascii_digit() || c == ';'),
            };
            if continues {
                self.held.push(c);
                continue;
            }
            if self.held.len() > 1 && c == 'm' {
                clean.push_str(&self.held);
                clean.push('m');
                self.held.clear();
                continue;
            }
            match self.held.as_str() {
                "\r" if c == '\n' => self.held.clear(),
                _ => clean.extend(self.held.drain(..).map(picture)),
            }
            match c {
                // Of a line that ends with \r\n nobody wants to see the \r.
                '\x1b' | '\r' => self.held.push(c),
                _ => clean.push(picture(c)),
            }
        }
        clean
    }
}

/// A control character as the picture Unicode has for it.
fn picture(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('?'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_from_windows_is_no_picture() {
        let mut escapes = Escapes::default();
        assert_eq!(escapes.clean("a\r\nb\r"), "a\nb");
        assert_eq!(escapes.clean("\n\r\rc\r[1m\x1b\r\n"), "\n\u{240d}\u{240d}c\u{240d}[1m\u{241b}\n");
    }

    #[test]
    fn a_log_cannot_drive_the_terminal_wherever_it_is_cut() {
        let evil =
            "a\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[H\x1bc \r\x08\x7f\u{9b}31m \x1b[1;3\x1b[4mz\n";
        let whole = Escapes::default().clean(evil);
        assert!(whole.starts_with("a\x1b[31mred\x1b[0m "), "colours stay: {whole:?}");
        assert!(whole.ends_with("\x1b[4mz\n"));
        let mut rest = whole.clone();
        for colour in ["\x1b[31m", "\x1b[0m", "\x1b[4m"] {
            rest = rest.replacen(colour, "", 1);
        }
        assert!(!rest.chars().any(|c| c.is_control() && c != '\n'), "{rest:?}");
        for (cut, _) in evil.char_indices() {
            let mut escapes = Escapes::default();
            let parts = escapes.clean(&evil[..cut]) + &escapes.clean(&evil[cut..]);
            assert_eq!(parts, whole, "cut at {cut}");
        }
    }
}
