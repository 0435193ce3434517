//! The page's style and script: in the page under a policy that allows these alone, or beside it under names that
//! change with them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::settings::{Assets, Docs};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

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
        [Asset::style(docs), Asset::script()].into_iter().find(|asset| asset.name() == name)
    }

    fn style(docs: &Docs) -> Asset {
        let accent = docs.accent.map(|accent| accent.style()).unwrap_or_default();
        Asset { content_type: "text/css; charset=utf-8", text: format!("{STYLE}{accent}") }
    }

    fn script() -> Asset {
        Asset { content_type: "text/javascript; charset=utf-8", text: SCRIPT.to_owned() }
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

/// Renders the elements of both, for the end of the head.
pub(super) fn elements(docs: &Docs) -> Markup {
    let (style, script) = (Asset::style(docs), Asset::script());
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
        Assets::Inline => (Asset::style(docs).source(), Asset::script().source()),
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
