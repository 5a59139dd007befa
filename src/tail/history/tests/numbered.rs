//! The numbers of lines: found by them, told with them at once or later, and counted once.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_line_is_found_by_its_number_and_says_it(files in files(), block in 1..50_usize) {
        let mut scene = Scene::new(&files, block);
        let all = lines(&files);
        for line in all.iter().filter(|line| line.file + 1 == files.len()) {
            let place = scene.place(SeekTo::Line(line.number as u64));
            prop_assert_eq!((place.byte, place.exact), (line.byte as u64, true));
            prop_assert_eq!(place.line, Some(line.number as u64));
            prop_assert_eq!(&*place.file, "app.log");
        }
        let count = all.iter().filter(|line| line.file + 1 == files.len()).count() as u64;
        let behind = scene.place(SeekTo::Line(count + 1));
        prop_assert_eq!((behind.byte, behind.exact), (files.last().unwrap().len() as u64, false));
        scene.scratch = vec![0; 100];
        // Now that they are counted, hits know their numbers.
        let (hits, _) = scene.search(&filter("a"), None, 1000);
        for hit in hits.iter().filter(|hit| &*hit.file == "app.log") {
            let line = all.iter().find(|l| l.file + 1 == files.len() && l.byte as u64 == hit.byte).unwrap();
            prop_assert_eq!(hit.line, Some(line.number as u64));
        }
    }

    #[test]
    fn lines_that_were_told_without_a_number_get_it_later(
        files in files(),
        block in A_LINE..100,
        grep in prop::sample::select(vec!["a", "^b", "$"]),
        percent in 0.0..100.0_f64,
    ) {
        let mut scene = Scene::new(&files, block);
        let mut seek = scene.begin(Task::Seek(SeekTo::Percent(percent)), None);
        let (found, _) = scene.finish(&mut seek);
        let [Found::Place(place)] = &found[..] else { panic!("{found:?}") };
        let task = Task::Search { filter: filter(grep), from: Some(place.cursor.clone()), most: 1000 };
        let mut search = scene.begin(task, None);
        let (found, _) = scene.finish(&mut search);
        let mut told: Vec<_> = found.into_iter().flat_map(|found| match found {
            Found::Hits(hits) => hits.into_iter().map(|hit| (hit.file, hit.byte, hit.line)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }).collect();
        scene.number(&mut search, |which, line| assert_eq!(told[which].2.replace(line), None));
        let mut place = (Rc::clone(&place.file), place.byte, place.line);
        scene.number(&mut seek, |which, line| assert_eq!((which, place.2.replace(line)), (0, None)));
        let all = lines(&files);
        for (file, byte, line) in told.into_iter().chain([place]) {
            let file = (0..files.len()).find(|&at| name(files.len() - 1 - at) == *file).unwrap();
            let mut of_file = all.iter().filter(|line| line.file == file);
            let number = of_file.rfind(|line| line.byte as u64 <= byte).map(|line| line.number as u64);
            prop_assert_eq!(line, number, "{} of {}", byte, file);
        }
    }
}

#[test]
fn a_newline_that_came_in_two_halves_is_counted_once() {
    let text: Vec<u8> = "a\nb\nc\nox\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for cut in 0..text.len() {
        let lens = Lens::new(Some("utf-16le"), &[], Seal::default()).unwrap();
        let mut scene = Scene::through(&[text[..cut].to_vec()], 1000, lens);
        // All that is there is counted.
        scene.place(SeekTo::Line(100));
        let end = scene.place(SeekTo::End);
        let newlines = String::from_utf16_lossy(
            &text[..cut / 2 * 2]
                .chunks(2)
                .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                .collect::<Vec<_>>(),
        );
        assert_eq!(end.line, Some(newlines.matches('\n').count() as u64 + 1), "cut at {cut}");
        fs::write(scene.folder.path().join("app.log"), &text).unwrap();
        scene.follower.look(true, scene.now);
        scene.place(SeekTo::Line(100));
        let (hits, _) = scene.search(&filter("ox"), None, 10);
        assert_eq!(hits.iter().map(|hit| hit.line).collect::<Vec<_>>(), [Some(4)], "cut at {cut}");
    }
}
