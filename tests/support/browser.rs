//! Chromium, driven over its `DevTools` protocol as a person would drive it: real clicks, keys and wheel turns.
//!
//! One WebSocket (tungstenite's, not ours) leads to the browser; each page is a session on it, in a browser context
//! of its own, so that pages share no storage. What a page complains about is gathered on the way and can be asked
//! for at any time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Error, Message, WebSocket};

use super::{temp_dir, until};

/// How long the browser may take to start, and to answer a command: it shares the machine with builds and tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// What distributions call it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

const FLAGS: [&str; 13] = [
    "--headless",
    // Containers and root have no user namespaces to build the sandbox from; only our own page is shown.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Two pages at once are both in sight, as two windows are.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
];

/// A running Chromium; it goes when dropped.
pub struct Browser {
    child: Child,
    wire: RefCell<Wire>,
    _folder: TempDir,
}

/// The connection to the browser, and what has come over it unasked.
struct Wire {
    socket: WebSocket<TcpStream>,
    last_id: u64,
    events: VecDeque<Value>,
}

/// A page of its own: a window, with storage shared with no other.
pub struct Page<'a> {
    browser: &'a Browser,
    context: Value,
    target: Value,
    session: String,
    events: RefCell<Vec<Value>>,
}

impl Browser {
    /// Starts Chromium. A machine without it fails the test.
    pub fn start() -> Self {
        let folder = temp_dir();
        let mut child = spawn(folder.path());
        // Written by Chromium when it listens: the port, and the path of the browser's own WebSocket.
        let file = folder.path().join("DevToolsActivePort");
        let (port, path) = until("Chromium to listen", PATIENCE, || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("Chromium ended at once, with {status}");
            }
            let text = fs::read_to_string(&file).ok()?;
            let (port, path) = text.split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.trim().to_owned()))
        });
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("Chromium listens");
        stream.set_nodelay(true).expect("a TCP option");
        let url = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tungstenite::client(url, stream).expect("Chromium speaks WebSocket");
        let wire = RefCell::new(Wire { socket, last_id: 0, events: VecDeque::new() });
        Self { child, wire, _folder: folder }
    }

    /// Opens an empty page, 1280 by 800 pixels.
    pub fn page(&self) -> Page<'_> {
        let context = self.call(None, "Target.createBrowserContext", &json!({}));
        self.page_in(context["browserContextId"].clone())
    }

    fn page_in(&self, context: Value) -> Page<'_> {
        let target = self.call(
            None,
            "Target.createTarget",
            &json!({ "url": "about:blank", "newWindow": true, "browserContextId": context }),
        );
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", &attach);
        let session = session["sessionId"].as_str().expect("a session has a name").to_owned();
        let page = Page {
            browser: self,
            context,
            target: target["targetId"].clone(),
            session,
            events: RefCell::default(),
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), &json!({}));
        }
        // A page in the background is told that it has the focus, as the window that a person looks at.
        page.call("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }));
        page.viewport(1280, 800);
        page
    }

    /// Sends a command and waits for its answer, which must not be an error.
    fn call(&self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.try_call(session, method, params).unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// Sends a command and waits for its answer.
    fn try_call(&self, session: Option<&str>, method: &str, params: &Value) -> Result<Value, Value> {
        let mut wire = self.wire.borrow_mut();
        wire.last_id += 1;
        let id = wire.last_id;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        wire.socket.send(Message::text(command.to_string())).expect("Chromium listens");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some(mut answer) = wire.next(deadline) else {
                panic!("Chromium did not answer {method} within {PATIENCE:?}")
            };
            if answer["id"] == json!(id) {
                return match answer.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(answer["result"].take()),
                };
            }
            if answer["method"] == "Page.javascriptDialogOpening" {
                wire.close_dialog(&answer["sessionId"]);
            }
            wire.events.push_back(answer);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Wire {
    /// Closes an alert, which else would stop the page. Its answer is not waited for.
    fn close_dialog(&mut self, session: &Value) {
        self.last_id += 1;
        let params = json!({ "accept": false });
        let command = json!({
            "id": self.last_id, "sessionId": session, "method": "Page.handleJavaScriptDialog", "params": params
        });
        self.socket.send(Message::text(command.to_string())).expect("Chromium listens");
    }

    /// The next message, or `None` after the deadline.
    fn next(&mut self, deadline: Instant) -> Option<Value> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.get_ref().set_read_timeout(Some(left)).expect("a socket option");
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("Chromium writes JSON"));
                }
                Ok(_) => {}
                Err(Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("Chromium is gone: {error}"),
            }
        }
    }
}

impl Page<'_> {
    /// A command of the protocol, for this page.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.browser.call(Some(&self.session), method, params)
    }

    /// Goes to `url` and waits until the document and its scripts are loaded.
    #[track_caller]
    pub fn goto(&self, url: &str) {
        let answer = self.call("Page.navigate", &json!({ "url": url }));
        assert!(answer.get("errorText").is_none(), "{url}: {}", answer["errorText"]);
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The value of a JavaScript expression; a promise is waited for. An exception fails the test.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", &params);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {}", thrown["exception"]["description"]);
        answer["result"]["value"].take()
    }

    /// The value of an expression that gives a string.
    #[track_caller]
    pub fn text(&self, expression: &str) -> String {
        match self.eval(expression) {
            Value::String(text) => text,
            other => panic!("{expression} is no text but {other}"),
        }
    }

    /// The value of an expression that gives a whole number.
    #[track_caller]
    pub fn number(&self, expression: &str) -> i64 {
        let value = self.eval(expression);
        value.as_i64().unwrap_or_else(|| panic!("{expression} is no whole number but {value}"))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait_for(&self, expression: &str) {
        self.wait_for_within(expression, Duration::from_secs(60));
    }

    /// Waits until an expression is true, and fails the test after `within`.
    #[track_caller]
    pub fn wait_for_within(&self, expression: &str, within: Duration) {
        let deadline = Instant::now() + within;
        while !self.holds(expression) {
            if Instant::now() > deadline {
                let shown = self.text("document.body ? document.body.innerText : ''");
                let shown: String = shown.chars().take(3000).collect();
                panic!(
                    "waited {within:?} for {expression}; complaints: {:?}; the page:\n{shown}",
                    self.complaints()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether an expression is true. While a document is being replaced, nothing is.
    fn holds(&self, expression: &str) -> bool {
        let params = json!({ "expression": format!("!!({expression})"), "returnByValue": true });
        let answer = self.browser.try_call(Some(&self.session), "Runtime.evaluate", &params);
        answer.is_ok_and(|answer| answer["result"]["value"] == json!(true))
    }

    /// Presses and releases the left button in the middle of the element, which must be what is seen there.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let (x, y) = self.middle_of(selector);
        self.mouse("mouseMoved", x, y, json!({}));
        let left = json!({ "button": "left", "clickCount": 1 });
        self.mouse("mousePressed", x, y, left.clone());
        self.mouse("mouseReleased", x, y, left);
    }

    /// Turns the wheel over the element; positive is towards the end.
    #[track_caller]
    pub fn wheel(&self, selector: &str, pixels: i32) {
        let (x, y) = self.middle_of(selector);
        self.mouse("mouseWheel", x, y, json!({ "deltaX": 0, "deltaY": pixels }));
    }

    /// Presses and releases a key: a letter, a digit, or a name of `KeyboardEvent.key`.
    pub fn press(&self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            " " => 32,
            "PageUp" => 33,
            "PageDown" => 34,
            "End" => 35,
            "Home" => 36,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            one if one.chars().count() == 1 => u32::from(one.to_ascii_uppercase().as_bytes()[0]),
            other => panic!("no code is written here for the key {other}"),
        };
        let mut event = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if key.chars().count() == 1 {
            event["text"] = json!(key);
        } else if key == "Enter" {
            // As a keyboard's: with it, a field sends its form.
            event["text"] = json!("\r");
        }
        self.call("Input.dispatchKeyEvent", &event);
        event["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// The size of the window, in CSS pixels.
    pub fn viewport(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A phone: its size, its sharp screen, its meta viewport.
    pub fn phone(&self) {
        let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        self.call("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }));
    }

    /// Whether the system is said to prefer dark.
    pub fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let feature = json!({ "name": "prefers-color-scheme", "value": value });
        self.call("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// The reader's language, such as `zh-CN`; takes effect with the next `goto`.
    pub fn locale(&self, language: &str) {
        let agent = self.text("navigator.userAgent");
        let params = json!({ "userAgent": agent, "acceptLanguage": language });
        self.call("Emulation.setUserAgentOverride", &params);
        self.call("Emulation.setLocaleOverride", &json!({ "locale": language }));
    }

    /// Another tab beside this one: they share cookies and storage.
    pub fn beside(&self) -> Self {
        self.browser.page_in(self.context.clone())
    }

    /// Writes what is seen to a PNG file, making its folder.
    pub fn screenshot(&self, path: &Path) {
        let picture = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let picture = picture["data"].as_str().expect("a picture is base64");
        let picture = base64::engine::general_purpose::STANDARD.decode(picture).expect("a picture is base64");
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(path, picture).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Puts text where the focus is, as somebody does who types or pastes it.
    pub fn type_text(&self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Everything the page complained about so far: exceptions, errors on the console, what the browser logged
    /// (violations of the content security policy among it), and dialogs, which are closed.
    pub fn complaints(&self) -> Vec<String> {
        self.gather();
        let events = self.events.borrow();
        events.iter().filter_map(complaint).collect()
    }

    /// Every URL that the page has asked for.
    pub fn requests(&self) -> Vec<String> {
        self.gather();
        let events = self.events.borrow();
        let url = |event: &Value| match event["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                event["params"]["request"]["url"].as_str().map(str::to_owned)
            }
            Some("Network.webSocketCreated") => event["params"]["url"].as_str().map(str::to_owned),
            _ => None,
        };
        events.iter().filter_map(url).collect()
    }

    /// Leaves the page, as closing its tab does.
    pub fn close(self) {
        self.browser.call(None, "Target.closeTarget", &json!({ "targetId": self.target }));
    }

    /// Takes this page's events out of those that came. A round trip brings in what is on its way.
    fn gather(&self) {
        self.call("Runtime.evaluate", &json!({ "expression": "0" }));
        let mut wire = self.browser.wire.borrow_mut();
        let (ours, others): (Vec<Value>, Vec<Value>) =
            wire.events.drain(..).partition(|event| event["sessionId"] == json!(self.session));
        wire.events = others.into();
        self.events.borrow_mut().extend(ours);
    }

    #[track_caller]
    fn middle_of(&self, selector: &str) -> (f64, f64) {
        let find = format!(
            "(() => {{ const element = document.querySelector({selector:?});
               if (element === null) return 'there is none';
               element.scrollIntoView({{ block: 'nearest' }});
               const box = element.getBoundingClientRect();
               const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
               const seen = document.elementFromPoint(x, y);
               return element.contains(seen) ? [x, y] : `what is seen there is ${{seen?.outerHTML.slice(0, 200)}}`;
            }})()"
        );
        let place = self.eval(&find);
        match (place[0].as_f64(), place[1].as_f64()) {
            (Some(x), Some(y)) => (x, y),
            _ => panic!("{selector}: {place}"),
        }
    }

    fn mouse(&self, kind: &str, x: f64, y: f64, mut event: Value) {
        event["type"] = json!(kind);
        event["x"] = json!(x);
        event["y"] = json!(y);
        self.call("Input.dispatchMouseEvent", &event);
    }
}

/// The event as a sentence, if it is one that a good page does not cause.
fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => {
            let details = &params["exceptionDetails"];
            Some(format!("exception: {} {}", details["text"], details["exception"]["description"]))
        }
        "Runtime.consoleAPICalled" if params["type"] == "error" || params["type"] == "assert" => {
            Some(format!("console: {}", params["args"]))
        }
        "Log.entryAdded" if params["entry"]["level"] == "error" => {
            Some(format!("log: {} {}", params["entry"]["text"], params["entry"]["url"]))
        }
        "Page.javascriptDialogOpening" => Some(format!("dialog: {}", params["message"])),
        _ => None,
    }
}

fn spawn(folder: &Path) -> Child {
    for name in NAMES {
        let mut command = Command::new(name);
        command.args(FLAGS).arg(format!("--user-data-dir={}", folder.display())).arg("about:blank");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => panic!("{name}: {error}"),
        }
    }
    panic!(
        "Chromium is missing, and without it the page is not tested: `tests/run browser` installs it on Debian"
    )
}
