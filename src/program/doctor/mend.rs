//! The directives that mend what was found, by web server.

/// The web server that answers, as far as it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerKind {
    Apache,
    Nginx,
    Lighttpd,
    Other,
}

/// What is to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ill {
    NotRun,
    Forbidden,
    Crash,
    NoProgram,
    Size,
    Authorization,
    Listing,
    Versions,
    Source,
    Gzip,
    PathInfo,
}

impl ServerKind {
    pub(super) fn of(server: &str) -> ServerKind {
        let server = server.to_lowercase();
        match () {
            () if server.contains("apache") || server.contains("litespeed") => ServerKind::Apache,
            () if server.contains("nginx") || server.contains("openresty") => ServerKind::Nginx,
            () if server.contains("lighttpd") => ServerKind::Lighttpd,
            () => ServerKind::Other,
        }
    }

    /// Returns what mends it.
    pub(super) fn mend(self, ill: Ill) -> &'static str {
        match (ill, self) {
            (Ill::NotRun, ServerKind::Apache) => "Options +ExecCGI\nAddHandler cgi-script .cgi",
            (Ill::NotRun, ServerKind::Nginx) => {
                "nginx runs no CGI: include fastcgi_params; fastcgi_pass unix:/run/rpcgi/service.sock;"
            }
            (Ill::NotRun, ServerKind::Lighttpd) => {
                "server.modules += ( \"mod_cgi\" )\ncgi.assign = ( \".cgi\" => \"\" )"
            }
            (Ill::NotRun, ServerKind::Other) => {
                "let the web server run it as CGI or FastCGI, and not hand it out as a file"
            }
            (Ill::Forbidden, ServerKind::Apache) => {
                "Options +ExecCGI\nRequire all granted\nand for the file itself: chmod 755"
            }
            (Ill::Forbidden, ServerKind::Nginx) => {
                "by fcgiwrap: chmod 755 for the file; else the rules of `allow` and `deny`"
            }
            (Ill::Forbidden, _) => "chmod 755 for the file; the rules of the web server for this URL",
            (Ill::Crash, ServerKind::Apache) => {
                "run `rpcgi check` there: its first line, CR before line ends, the mode 755, its folder's mode\n\
                 the reason stands in the web server's error log"
            }
            (Ill::Crash, _) => "run `rpcgi check` there; the reason stands in the web server's error log",
            (Ill::NoProgram, ServerKind::Nginx) => {
                "start it: rpcgi fcgi service.rpc --listen unix:/run/rpcgi/service.sock,mode=0660\n\
                 and let the user of nginx into the socket's folder"
            }
            (Ill::NoProgram, _) => "start the program behind the web server, and look at the address between them",
            (Ill::Size, ServerKind::Apache) => "LimitRequestBody 16777216\nwith mod_fcgid: FcgidMaxRequestLen 16777216",
            (Ill::Size, ServerKind::Nginx) => "client_max_body_size 16m;",
            (Ill::Size, ServerKind::Lighttpd) => "server.max-request-size = 16384",
            (Ill::Size, ServerKind::Other) => "the web server's limit for bodies: as `body` in [limits], 16 MiB",
            (Ill::Authorization, ServerKind::Apache) => {
                "CGIPassAuth On\nor in .htaccess: SetEnvIf Authorization \"(.+)\" HTTP_AUTHORIZATION=$1"
            }
            (Ill::Authorization, ServerKind::Nginx) => "fastcgi_param HTTP_AUTHORIZATION $http_authorization;",
            (Ill::Authorization, _) => "let the web server pass on the header Authorization",
            (Ill::Listing, ServerKind::Apache) => "Options -Indexes",
            (Ill::Listing, ServerKind::Nginx) => "autoindex off;",
            (Ill::Listing, ServerKind::Lighttpd) => "dir-listing.activate = \"disable\"",
            (Ill::Listing, ServerKind::Other) => "switch listings of directories off",
            (Ill::Versions, ServerKind::Apache) => "ServerTokens Prod\nServerSignature Off",
            (Ill::Versions, ServerKind::Nginx) => "server_tokens off;",
            (Ill::Versions, ServerKind::Lighttpd) => "server.tag = \"lighttpd\"",
            (Ill::Versions, ServerKind::Other) => "let the web server keep its version to itself",
            (Ill::Source, ServerKind::Apache) => {
                "a folder of its own, outside of what is served; or in .htaccess:\n<FilesMatch \"\\.(py|php|js|rb|pl|lua)$\">\n\
                 Require all denied\n</FilesMatch>"
            }
            (Ill::Source, ServerKind::Nginx) => {
                "a folder of its own, outside of what is served; or: location ~ \\.(py|rb|pl|lua)$ { return 404; }"
            }
            (Ill::Source, ServerKind::Lighttpd) => {
                "a folder of its own, outside of what is served; or: url.access-deny = ( \".py\", \".rb\", \".pl\", \".lua\" )"
            }
            (Ill::Source, ServerKind::Other) => "a folder of its own, outside of what is served",
            (Ill::Gzip, _) => {
                "nothing has to be: rpcgi compresses by itself what clients take compressed; something between \
                               takes the header Accept-Encoding or Content-Encoding away"
            }
            (Ill::PathInfo, ServerKind::Nginx) => {
                "fastcgi_split_path_info ^(/service)(/.*)$;\nfastcgi_param PATH_INFO $fastcgi_path_info;"
            }
            (Ill::PathInfo, ServerKind::Apache) => "AcceptPathInfo On",
            (Ill::PathInfo, _) => "let the web server run the program for longer paths too",
        }
    }
}
