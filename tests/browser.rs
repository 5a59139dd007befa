//! tmp
#![cfg(feature = "tool")]
mod support;
use support::browser::Browser;
#[test]
fn x() {
    let t = std::time::Instant::now();
    let b = Browser::start();
    println!("start {:?}", t.elapsed());
    let p = b.page();
    let q = b.page();
    println!("pages {:?}", t.elapsed());
    for p in [&p, &q] {
        p.goto("data:text/html,<body><button id=a onclick='console.error(1);alert(3);this.textContent=document.visibilityState+document.hasFocus()'>x</button><div id=s style='height:100px;overflow:auto'><div style='height:1000px'>.</div></div><input id=i><script>document.addEventListener('keydown',e=>{document.title=e.key})</script>");
        p.click("#a");
        println!("{}", p.text("document.querySelector('#a').textContent"));
        p.press("q");
        p.wait_for("document.title=='q'");
        p.wheel("#s", 50);
        p.wait_for("document.querySelector('#s').scrollTop == 50");
        p.dark(true);
        p.locale("zh-CN");
        println!("{}", p.text("navigator.language + matchMedia('(prefers-color-scheme: dark)').matches"));
        p.screenshot(std::path::Path::new("/tmp/x/a.png"));
        println!("{:?} {:?}", p.complaints(), p.requests());
        let id = p.eval("new Promise(r => requestAnimationFrame(r))");
        println!("{id} {:?}", t.elapsed());
    }
    q.close();
    println!("{:?}", t.elapsed());
}
