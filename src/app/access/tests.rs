//! The gate as a whole: who is let through, as whom, and for how long.

use std::net::Ipv4Addr;

use super::users::tests::user;
use super::*;
use crate::http::RequestReader;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Users `ada`, with a password and a token, and `bob`, with a token only.
fn access(password: &Password) -> Access {
    let ada = User {
        password: Some(password.clone()),
        tokens: vec![Fingerprint::of("ada's")],
        ..user("ada", &["*"], &[], &[])
    };
    let bob = User { tokens: vec![Fingerprint::of("bob's")], ..user("bob", &["b"], &[], &[]) };
    let lifetime = Lifetime { idle: Duration::from_secs(100), longest: Duration::from_secs(1000) };
    Access { users: Users::new(vec![ada, bob]), lifetime, ..Access::default() }
}

/// Cheap to look at: here it is only kept.
fn password(salt: &str) -> Password {
    Password::parse(&format!("$argon2id$v=19$m=8,t=1,p=1${salt}$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"))
        .unwrap()
}

fn request(fields: &str) -> Request {
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    RequestReader::new().receive(head.as_bytes()).unwrap().unwrap().0
}

/// Different connections.
fn connections<const N: usize>() -> [ConnId; N] {
    let mut ids = crate::net::table::Ids::default();
    std::array::from_fn(|_| ids.issue())
}

fn name(visitor: Option<Visitor>) -> Option<String> {
    visitor.map(|visitor| visitor.name().unwrap_or("-").to_owned())
}

/// Logs ada in, and gives the field that says so from then on.
fn log_in(gate: &mut Gate, password: &Password, now: Instant) -> String {
    let secret = gate.log_in("ada", password, HERE, now).unwrap();
    format!("Cookie: wiretail={}\r\n", secret.as_str())
}

#[test]
fn without_users_everyone_is_anyone() {
    let mut gate = Gate::new(Access::default()).unwrap();
    let ([id], now) = (connections(), Instant::now());
    assert!(!gate.asks() && gate.verifier().is_none());
    assert_eq!(name(gate.admit(id, &request(""), now)).as_deref(), Some("-"));
    assert!(matches!(gate.visitor(id), Visitor::Anyone));
}

#[test]
fn a_token_or_a_cookie_says_who_it_is_and_nothing_else_does() {
    let hash = password("c29tZXNhbHQ");
    let mut gate = Gate::new(access(&hash)).unwrap();
    let ([id], now) = (connections(), Instant::now());
    let cookie = log_in(&mut gate, &hash, now);
    for (fields, who) in [
        (cookie.clone(), Some("ada")),
        ("Authorization: Bearer bob's\r\n".to_owned(), Some("bob")),
        ("authorization: bearer  ada's \r\n".to_owned(), Some("ada")),
        (format!("{cookie}Authorization: Bearer bob's\r\n"), Some("bob")),
        (format!("{cookie}Authorization: Basic YTpi\r\n"), Some("ada")),
        (format!("{cookie}Authorization: Bearer wrong\r\n"), None),
        ("Authorization: Bearer\r\n".to_owned(), None),
        ("Authorization: Bearer \r\n".to_owned(), None),
        ("Cookie: wiretail=\r\n".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(name(gate.admit(id, &request(&fields), now)).as_deref(), who, "{fields}");
        assert_eq!(gate.visitor(id).name(), who, "{fields}");
        assert_eq!(matches!(gate.visitor(id), Visitor::Nobody), who.is_none());
    }
}

#[test]
fn who_logs_out_takes_all_connections_of_the_session_along_and_no_others() {
    let hash = password("c29tZXNhbHQ");
    let mut gate = Gate::new(access(&hash)).unwrap();
    let ([asks, streams, elsewhere, token], now) = (connections(), Instant::now());
    let (cookie, other) = (log_in(&mut gate, &hash, now), log_in(&mut gate, &hash, now));
    for (id, fields) in [(asks, &cookie), (streams, &cookie), (elsewhere, &other)] {
        gate.admit(id, &request(fields), now).unwrap();
    }
    gate.admit(token, &request("Authorization: Bearer ada's\r\n"), now).unwrap();
    gate.log_out(asks);
    assert_eq!(gate.take_leaving(), [(streams, Over::LoggedOut)]);
    assert!(matches!(gate.visitor(streams), Visitor::Nobody));
    assert_eq!(name(gate.admit(asks, &request(&cookie), now)), None);
    assert_eq!(gate.visitor(elsewhere).name(), Some("ada"));
    gate.log_out(token);
    assert_eq!(gate.take_leaving(), [], "a token is no session");
}

#[test]
fn a_session_that_is_over_ends_what_it_watches() {
    let hash = password("c29tZXNhbHQ");
    let mut gate = Gate::new(access(&hash)).unwrap();
    let ([stream, token], start) = (connections(), Instant::now());
    let cookie = log_in(&mut gate, &hash, start);
    let after = |seconds| start + Duration::from_secs(seconds);
    gate.admit(token, &request("Authorization: Bearer ada's\r\n"), start).unwrap();
    gate.admit(stream, &request(&cookie), after(50)).unwrap();
    gate.expire(after(100));
    assert_eq!((gate.take_leaving(), gate.next_look()), (Vec::new(), Some(after(150))));
    gate.expire(after(150));
    assert_eq!((gate.take_leaving(), gate.next_look()), (vec![(stream, Over::Expired)], None));
    assert_eq!(gate.visitor(token).name(), Some("ada"));
}

#[test]
fn other_settings_hold_for_who_is_inside() {
    let (old, new) = (password("c29tZXNhbHQ"), password("b3RoZXJzYWx0"));
    let settings = |gate: &mut Gate, access: Access| {
        gate.renew(access, Instant::now());
        gate.take_leaving().into_iter().map(|(_, over)| over).collect::<Vec<_>>()
    };
    let inside = || {
        let mut gate = Gate::new(access(&old)).unwrap();
        let ([by_cookie, by_token, bob], now) = (connections(), Instant::now());
        let cookie = log_in(&mut gate, &old, now);
        gate.admit(by_cookie, &request(&cookie), now).unwrap();
        gate.admit(by_token, &request("Authorization: Bearer ada's\r\n"), now).unwrap();
        gate.admit(bob, &request("Authorization: Bearer bob's\r\n"), now).unwrap();
        (gate, cookie)
    };
    let (mut gate, cookie) = inside();
    assert_eq!(settings(&mut gate, access(&old)), [], "nothing has changed");
    let [id] = connections();
    assert_eq!(name(gate.admit(id, &request(&cookie), Instant::now())).as_deref(), Some("ada"));

    // Another password: the session is over, and what a token does has to come back.
    let (mut gate, cookie) = inside();
    let mut over = settings(&mut gate, access(&new));
    over.sort_by_key(|over| *over == Over::Changed);
    assert_eq!(over, [Over::Revoked, Over::Changed]);
    assert_eq!(name(gate.admit(id, &request(&cookie), Instant::now())), None);
    assert!(gate.log_in("ada", &old, HERE, Instant::now()).is_none(), "it was looked at before");

    // Bob only, who sees something else now and has another token.
    let (mut gate, _) = inside();
    let bob = User { tokens: vec![Fingerprint::of("new")], ..user("bob", &["c"], &[], &[]) };
    let users = Users::new(vec![bob]);
    assert_eq!(settings(&mut gate, Access { users, ..access(&old) }), [Over::Revoked; 3]);
    let users =
        Users::new(vec![User { tokens: vec![Fingerprint::of("bob's")], ..user("bob", &["c"], &[], &[]) }]);
    let (mut gate, _) = inside();
    let over = settings(&mut gate, Access { users, ..access(&old) });
    assert_eq!(over.iter().filter(|over| **over == Over::Changed).count(), 1);
}

#[test]
fn passwords_are_looked_at_beside_the_loop_and_few_wait() {
    let hash = Password::of("secret").unwrap();
    let mut gate = Gate::new(access(&hash)).unwrap();
    let (ids, now): ([ConnId; 30], _) = (connections(), Instant::now());
    gate.try_password(ids[0], "ada", "secret".to_owned(), HERE, now).unwrap();
    gate.try_password(ids[1], "ada", "Secret".to_owned(), HERE, now).unwrap();
    gate.try_password(ids[2], "eve", "secret".to_owned(), HERE, now).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut verdicts = Vec::new();
    while verdicts.len() < 3 {
        assert!(Instant::now() < deadline, "{verdicts:?}");
        verdicts.extend(gate.verdicts());
    }
    assert_eq!(verdicts, [(ids[0], Some(hash.clone())), (ids[1], None), (ids[2], None)]);

    // Far more at once than the helper can have looked at by then.
    let answers = ids.map(|id| gate.try_password(id, &format!("{id}"), "x".to_owned(), HERE, now));
    let busy = answers.iter().filter(|answer| **answer == Err(NotNow::Busy)).count();
    assert!(busy >= 15, "{busy} of 30");
    for _ in 0..10 {
        let _ = gate.try_password(ids[0], "ada", "x".to_owned(), HERE, now);
    }
    let wait = gate.try_password(ids[0], "ada", "x".to_owned(), HERE, now);
    assert_eq!(wait, Err(NotNow::TooOften(Duration::from_secs(12))));
}
