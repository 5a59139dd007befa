//! tungstenite and our core, in memory: the network brings any number of bytes at any time, or breaks.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::ours::Ours;
use crate::script::{Move, anything, goodbye, goodbye_with_code};
use crate::theirs::Theirs;
use crate::word::{Word, same, until_close};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// We say the next thing that we want to say.
    WeSpeak,
    /// They send the next frame of what they want to say.
    TheySpeak,
    /// The network brings us so many bytes.
    WeHear(usize),
    /// The network brings them so many bytes.
    TheyHear(usize),
}

/// How it ends, if nobody has said goodbye before.
#[derive(Clone, Debug)]
enum Ending {
    WeClose(Move),
    TheyClose(Move),
    /// The network breaks, after so much of what is under way to us and to them.
    Breaks(Index, Index),
}

#[derive(Clone, Debug)]
struct Plan {
    we_serve: bool,
    ours: Vec<Move>,
    theirs: Vec<Move>,
    turns: Vec<Turn>,
    ending: Ending,
}

fn plan() -> impl Strategy<Value = Plan> {
    let some = || prop_oneof![2 => 1..20_usize, 2 => 1..2000_usize, 1 => Just(usize::MAX)];
    let turn = prop_oneof![
        1 => Just(Turn::WeSpeak),
        2 => Just(Turn::TheySpeak),
        2 => some().prop_map(Turn::WeHear),
        2 => some().prop_map(Turn::TheyHear),
    ];
    let ending = prop_oneof![
        goodbye_with_code().prop_map(Ending::WeClose),
        goodbye().prop_map(Ending::TheyClose),
        (any::<Index>(), any::<Index>()).prop_map(|(to_us, to_them)| Ending::Breaks(to_us, to_them)),
    ];
    let moves = || prop::collection::vec(anything(), 0..12);
    (any::<bool>(), moves(), moves(), prop::collection::vec(turn, 0..60), ending)
        .prop_map(|(we_serve, ours, theirs, turns, ending)| Plan { we_serve, ours, theirs, turns, ending })
}

/// The two, and what is under way between them.
struct Scene {
    we_serve: bool,
    ours: Ours,
    theirs: Theirs,
    to_us: Vec<u8>,
    to_them: Vec<u8>,
}

impl Scene {
    fn new(we_serve: bool) -> Self {
        let (ours, theirs) = match we_serve {
            true => (Ours::server(), Theirs::client()),
            false => (Ours::client("127.0.0.1", "/", None), Theirs::server()),
        };
        Self { we_serve, ours, theirs, to_us: Vec::new(), to_them: Vec::new() }
    }

    /// Puts what was written on its way.
    fn post(&mut self) {
        self.to_them.append(&mut self.ours.out);
        self.to_us.append(&mut self.theirs.wire.take());
    }

    fn we_hear(&mut self, count: usize) -> Result<(), String> {
        self.post();
        let rest = self.to_us.split_off(count.min(self.to_us.len()));
        self.ours.hear(&mut std::mem::replace(&mut self.to_us, rest))
    }

    fn they_hear(&mut self, count: usize) -> Result<(), String> {
        self.post();
        // tungstenite takes a handshake in more than 64 small pieces for an attack.
        let count = if self.theirs.is_shaking_hands() { count.max(8) } else { count };
        let rest = self.to_them.split_off(count.min(self.to_them.len()));
        self.theirs.wire.bring(&std::mem::replace(&mut self.to_them, rest));
        self.theirs.hear()
    }

    /// The network brings everything, until nobody has an answer to it.
    fn settle(&mut self, pieces: &mut impl Iterator<Item = usize>) -> Result<(), String> {
        loop {
            self.post();
            if self.to_us.is_empty() && self.to_them.is_empty() {
                return Ok(());
            }
            let piece = pieces.next().unwrap_or(usize::MAX);
            self.we_hear(piece)?;
            self.they_hear(piece)?;
        }
    }

    /// The end of TCP: the server's to begin, if there was a closing handshake (§7.1.1).
    fn end_tcp(&mut self) -> Result<(), String> {
        if self.we_serve {
            self.theirs.wire.end();
            self.theirs.hear()?;
            self.ours.hear_the_end()
        } else {
            self.ours.hear_the_end()?;
            self.theirs.wire.end();
            self.theirs.hear()
        }
    }
}

/// Plays it, and compares.
fn play(plan: &Plan) -> Result<(), String> {
    let mut scene = Scene::new(plan.we_serve);
    let mut ours = plan.ours.iter().map(Move::word);
    let mut theirs = plan.theirs.iter().flat_map(Move::frames);
    for turn in &plan.turns {
        match *turn {
            Turn::WeSpeak if scene.ours.may_speak() => {
                ours.by_ref().take(1).for_each(|word| scene.ours.say(word));
            }
            Turn::TheySpeak if scene.theirs.may_speak() => {
                theirs.by_ref().take(1).try_for_each(|frame| scene.theirs.say(frame))?;
            }
            Turn::WeSpeak | Turn::TheySpeak => {}
            Turn::WeHear(count) => scene.we_hear(count)?,
            Turn::TheyHear(count) => scene.they_hear(count)?,
        }
    }
    // The sizes of the pieces go on as they were, but for the smallest: a long message would take long.
    let sizes: Vec<usize> = plan.turns.iter().filter_map(size).collect();
    let mut pieces = sizes.into_iter().cycle();
    if let Ending::Breaks(to_us, to_them) = plan.ending {
        return break_off(scene, to_us, to_them);
    }
    scene.settle(&mut pieces)?;
    ours.for_each(|word| scene.ours.say(word));
    theirs.try_for_each(|frame| scene.theirs.say(frame))?;
    scene.settle(&mut pieces)?;
    match &plan.ending {
        Ending::WeClose(close) => scene.ours.say(close.word()),
        Ending::TheyClose(close) => {
            close.frames().into_iter().try_for_each(|frame| scene.theirs.say(frame))?;
        }
        Ending::Breaks(..) => {}
    }
    scene.settle(&mut pieces)?;
    check(&mut scene)
}

fn size(turn: &Turn) -> Option<usize> {
    match *turn {
        Turn::WeHear(count) | Turn::TheyHear(count) => Some(count.max(200)),
        Turn::WeSpeak | Turn::TheySpeak => None,
    }
}

/// Both have heard what the other has said, all of it and in that order, and agree on how it ended.
fn check(scene: &mut Scene) -> Result<(), String> {
    scene.end_tcp()?;
    same("we to them", until_close(&scene.ours.said)?, &scene.theirs.heard)?;
    same("they to us", until_close(&scene.theirs.said)?, &scene.ours.heard)?;
    let closed = |heard: &[Word]| matches!(heard.last(), Some(Word::Close(..) | Word::Lost));
    if !closed(&scene.ours.heard) || !closed(&scene.theirs.heard) {
        return Err(format!("no end: {:?}, {:?}", scene.ours.heard.last(), scene.theirs.heard.last()));
    }
    match (scene.ours.is_over(), scene.theirs.is_over()) {
        (true, true) => Ok(()),
        over => Err(format!("who is over: {over:?}")),
    }
}

/// The network breaks: what has come by then was right, and both know that something is missing, unless they had
/// heard the other's goodbye.
fn break_off(mut scene: Scene, to_us: Index, to_them: Index) -> Result<(), String> {
    scene.post();
    if scene.theirs.is_shaking_hands() || !scene.ours.began() {
        return Ok(());
    }
    scene.we_hear(to_us.index(scene.to_us.len() + 1))?;
    scene.they_hear(to_them.index(scene.to_them.len() + 1))?;
    scene.end_tcp()?;
    let sides = [
        ("we to them", &scene.ours.said, &scene.theirs.heard),
        ("they to us", &scene.theirs.said, &scene.ours.heard),
    ];
    for (what, said, heard) in sides {
        let (end, heard) = heard.split_last().ok_or("nothing was heard, not even the end")?;
        let said = until_close(said)?;
        same(what, &said[..heard.len().min(said.len())], heard)?;
        let right = match end {
            Word::Lost => true,
            word => said.get(heard.len()) == Some(word) && matches!(word, Word::Close(..)),
        };
        if !right {
            return Err(format!("{what}: the end was heard as {end:?}"));
        }
    }
    Ok(())
}

proptest! {
    // The shortest conversation that fails is printed. PROPTEST_CASES asks for more than these.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_one_says_is_what_the_other_hears(plan in plan()) {
        play(&plan).map_err(TestCaseError::fail)?;
    }
}
