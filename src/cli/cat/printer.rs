//! What is printed: log text on standard output, and what is to be said about it on standard error.
//!
//! Text comes from somebody else, and a terminal does what it is told. So nothing gets there that could tell it anything
//! but a colour; and nothing but text into a file or a pipe, from where it may well be shown on a terminal later.
//!
//! Of several logs only whole lines are printed, each with the name of its log in front.

use std::io::{self, IsTerminal, Write};

use super::link::Trouble;

/// So much is gathered before it is written.
const GATHERED: usize = 64 * 1024;
/// A line of one of several logs that is longer than this is printed in parts.
const LONGEST_LINE: usize = 64 * 1024;
/// The colours of the names of several logs, as ECMA-48 numbers them: none of them is that of an error.
const COLOURS: [u8; 6] = [36, 33, 35, 32, 34, 96];

/// One line of somebody else's, fit for a terminal.
pub(super) fn clean_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// Says something beside the logs. That nobody listens to it is no reason to end.
pub(super) fn say(what: &str) {
    let _ = writeln!(io::stderr(), "wiretail: {what}");
}

/// What stands in front of the lines of one of several logs.
#[derive(Clone, Debug)]
pub(super) struct Label {
    name: String,
    width: usize,
    colour: u8,
}

impl Label {
    /// One for each of several logs of these names, all equally wide; none for a log that is alone.
    pub(super) fn all(names: &[String]) -> Vec<Option<Self>> {
        if names.len() < 2 {
            return vec![None; names.len()];
        }
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let colours = COLOURS.iter().cycle();
        let label = |(name, colour): (&String, &u8)| Self { name: clean_line(name), width, colour: *colour };
        names.iter().zip(colours).map(|named| Some(label(named))).collect()
    }

    fn put(&self, coloured: bool, out: &mut Vec<u8>) {
        let Self { name, width, colour } = self;
        let written = match coloured {
            // What the line before has left on is not to colour this one.
            true => write!(out, "\x1b[0;{colour}m{name:width$} |\x1b[0m "),
            false => write!(out, "{name:width$} | "),
        };
        debug_assert!(written.is_ok(), "a Vec takes all that is written");
    }
}

/// Prints the text of one log.
pub(super) struct Printer {
    out: Vec<u8>,
    escapes: Escapes,
    label: Option<Label>,
    /// Of one of several logs: the beginning of a line that has not ended yet.
    line: String,
}

impl Printer {
    pub(super) fn new(label: Option<Label>) -> Self {
        let colours = if io::stdout().is_terminal() { Colours::Kept } else { Colours::Dropped };
        let escapes = Escapes { colours, held: String::new() };
        Self { out: Vec::new(), escapes, label, line: String::new() }
    }

    /// Whether this log is the only one that is printed.
    pub(super) fn is_alone(&self) -> bool {
        self.label.is_none()
    }

    pub(super) fn print(&mut self, text: &str) -> Result<(), Trouble> {
        let clean = self.escapes.clean(text);
        if self.label.is_none() {
            self.out.extend_from_slice(clean.as_bytes());
        } else {
            for part in clean.split_inclusive('\n') {
                self.line.push_str(part);
                if part.ends_with('\n') || self.line.len() >= LONGEST_LINE {
                    self.end_line();
                }
            }
        }
        if self.out.len() >= GATHERED { self.flush() } else { Ok(()) }
    }

    /// Half a line that will not be completed is a line.
    pub(super) fn end_line(&mut self) {
        if let Some(label) = &self.label
            && !self.line.is_empty()
        {
            label.put(self.escapes.colours == Colours::Kept, &mut self.out);
            self.out.extend_from_slice(self.line.trim_end_matches('\n').as_bytes());
            self.out.push(b'\n');
            self.line.clear();
        }
    }

    /// Says something about this log, in its place between the lines.
    pub(super) fn note(&mut self, what: &str) -> Result<(), Trouble> {
        self.end_line();
        self.flush()?;
        self.remark(what);
        Ok(())
    }

    /// Says something about this log.
    pub(super) fn remark(&self, what: &str) {
        match &self.label {
            Some(label) => say(&format!("{}: {what}", label.name)),
            None => say(what),
        }
    }

    /// Writes what was gathered, all of it before anybody else writes.
    pub(super) fn flush(&mut self) -> Result<(), Trouble> {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&self.out).and_then(|()| stdout.flush());
        self.out.clear();
        written.map_err(|_| Trouble::ReaderLeft)
    }
}

/// What becomes of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Colours {
    /// They are for a terminal.
    #[default]
    Kept,
    /// They would be noise.
    Dropped,
}

/// Lets colours (`ESC [ digits and ; m`) through, if they are wanted, and no other control character but line ends and tabs:
/// those are shown as pictures. A sequence cut in two by the network is held back.
#[derive(Debug, Default)]
struct Escapes {
    colours: Colours,
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
                if self.colours == Colours::Kept {
                    clean.push_str(&self.held);
                    clean.push('m');
                }
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
    fn nothing_but_text_gets_into_a_file() {
        let mut escapes = Escapes { colours: Colours::Dropped, held: String::new() };
        let coloured = "\x1b[1;31mred\x1b[0m\tand \x1b[2Jclear\x07\n";
        assert_eq!(escapes.clean(coloured), "red\tand \u{241b}[2Jclear\u{2407}\n");
    }

    #[test]
    fn lines_of_several_logs_are_whole_and_have_their_logs_name_in_front() {
        let names = ["app".to_owned(), "access".to_owned()];
        let mut printers = Label::all(&names).into_iter().map(Printer::new);
        let (mut app, mut access) = (printers.next().unwrap(), printers.next().unwrap());
        for printer in [&mut app, &mut access] {
            printer.escapes.colours = Colours::Dropped;
        }
        assert!(app.print("one\ntw").is_ok() && app.out == b"app    | one\n");
        assert!(access.print("x\n\ny").is_ok() && access.out == b"access | x\naccess | \n");
        assert!(app.print("o\n").is_ok() && app.out.ends_with(b"\napp    | two\n"));
        access.end_line();
        assert!(access.out.ends_with(b"access | y\n"));
        let long = "z".repeat(LONGEST_LINE - 1);
        assert!(app.print(&long).is_ok() && app.print("zz").is_ok());
        assert_eq!(app.line, "", "a line without an end is not kept for ever");
        let alone = Label::all(&names[..1]);
        assert!(alone.len() == 1 && alone[0].is_none());
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
