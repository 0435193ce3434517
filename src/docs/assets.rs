//! The page's style and script: in the page under a policy that allows these alone, or beside it under names that
//! change with them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::settings::{Assets, Docs, Style};

/// The text of a file without the indentation and the comments that have lines of their own: done by the compiler.
macro_rules! stripped {
    ($file:literal, $language:ident) => {{
        const TEXT: &[u8] = include_bytes!($file);
        const LEN: usize = strip::<{ TEXT.len() }>(TEXT, $language).1;
        const KEPT: [u8; TEXT.len()] = strip::<{ TEXT.len() }>(TEXT, $language).0;
        match std::str::from_utf8(KEPT.split_at(LEN).0) {
            Ok(text) => text,
            Err(_) => panic!("it was text"),
        }
    }};
}

const STYLE: &str = stripped!("style.css", CSS);
const SCRIPT: &str = stripped!("script.js", JS);
/// Additions to both for pages on which methods can be tried.
const TRIAL_STYLE: &str = stripped!("trial.css", CSS);
const TRIAL_SCRIPT: &str = stripped!("trial.js", JS);

/// Characters after which white space means nothing in the style sheets; and in the scripts.
const CSS: &[u8] = b"{};,:";
const JS: &[u8] = b"";

/// Leaves out the blanks at the start of lines, white space after some characters, empty lines, and lines that are comments;
/// returns the rest and its length.
const fn strip<const MOST: usize>(text: &[u8], tight: &[u8]) -> ([u8; MOST], usize) {
    let mut kept = [0; MOST];
    let (mut len, mut at) = (0, 0);
    while at < text.len() {
        while at < text.len() && (text[at] == b' ' || text[at] == b'\n') {
            at += 1;
        }
        let is_comment = at + 1 < text.len() && text[at] == b'/' && (text[at + 1] == b'/' || text[at + 1] == b'*');
        while at < text.len() && text[at] != b'\n' {
            let is_needless = text[at] == b' ' && len > 0 && contains(tight, kept[len - 1]);
            if !is_comment && !is_needless {
                kept[len] = text[at];
                len += 1;
            }
            at += 1;
        }
        let is_needless = len > 0 && contains(tight, kept[len - 1]);
        if !is_comment && !is_needless && len < MOST {
            kept[len] = b'\n';
            len += 1;
        }
    }
    (kept, len)
}

const fn contains(octets: &[u8], octet: u8) -> bool {
    let mut at = 0;
    while at < octets.len() {
        if octets[at] == octet {
            return true;
        }
        at += 1;
    }
    false
}

/// The query key that requests one of them: `asset=style-...css`.
pub(crate) const ASSET: &str = "asset";

/// A style sheet or a script.
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) text: String,
}

impl Asset {
    /// Finds the asset that a page has linked by this name.
    pub(crate) fn find(name: &str, docs: &Docs) -> Option<Asset> {
        let mut all = [false, true].into_iter().flat_map(|tries| [Asset::style(docs, tries), Asset::script(tries)]);
        all.find(|asset| asset.name() == name)
    }

    fn style(docs: &Docs, tries: bool) -> Asset {
        let accent = docs.accent.map(|accent| accent.style()).unwrap_or_default();
        let trial = if tries { TRIAL_STYLE } else { "" };
        let own = docs.style.as_ref().map_or("", Style::text);
        Asset { content_type: "text/css; charset=utf-8", text: format!("{STYLE}{trial}{accent}{own}") }
    }

    fn script(tries: bool) -> Asset {
        let trial = if tries { TRIAL_SCRIPT } else { "" };
        Asset { content_type: "text/javascript; charset=utf-8", text: format!("{SCRIPT}{trial}") }
    }

    fn source(&self) -> String {
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(&self.text)))
    }

    /// Returns a name that no other text has.
    fn name(&self) -> String {
        let digest = Sha256::digest(&self.text);
        let hash: String = digest.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
        let (stem, suffix) =
            if self.content_type.starts_with("text/css") { ("style", "css") } else { ("script", "js") };
        format!("{stem}-{hash}.{suffix}")
    }
}

/// Renders the elements of both, for the end of the head of a page with or without trying of methods.
pub(super) fn elements(docs: &Docs, tries: bool) -> Markup {
    let (style, script) = (Asset::style(docs, tries), Asset::script(tries));
    let query = |asset: &Asset| format!("?{ASSET}={}", asset.name());
    html! {
        @match docs.assets {
            Assets::Inline => {
                style { (PreEscaped(&style.text)) }
                script type="module" { (PreEscaped(&script.text)) }
            },
            Assets::Linked => {
                link rel="stylesheet" href=(query(&style));
                script type="module" src=(query(&script)) {}
            },
        }
    }
}

/// Returns the `Content-Security-Policy` of a page, with or without trying of methods: it allows the page's own style
/// and script, and what these need.
pub(crate) fn content_security_policy(docs: &Docs, tries: bool) -> HeaderValue {
    let (style, script) = match docs.assets {
        Assets::Inline => (Asset::style(docs, tries).source(), Asset::script(tries).source()),
        Assets::Linked => ("'self'".to_owned(), "'self'".to_owned()),
    };
    let connect = if tries { " connect-src 'self';" } else { "" };
    let pictures = if docs.logo.is_some() { " img-src data:;" } else { "" };
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script};{connect}{pictures} base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
