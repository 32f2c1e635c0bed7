import type { Remedies } from './finding.ts';

/** The proxy does not pass the upgrade on. */
export const PASS_UPGRADE: Remedies = {
  nginx:
    'In the location: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
  haproxy:
    '`mode http` and `mode tcp` pass the upgrade on. Look for a rule that removes it, such as `http-request del-header Upgrade`.',
  loadBalancer:
    'Use a listener for HTTP/1.1 whose product supports WebSockets. Some, CDNs in particular, need WebSockets switched on.',
};

/** The proxy sends the path to something else. */
export const ROUTE_PATH: Remedies = {
  nginx:
    'The `location` must match the path. A path in `proxy_pass` replaces the part that `location` matched. If the server knows the path, the upgrade got lost: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
  haproxy: 'A `use_backend … if { path_beg … }` must match the path.',
  loadBalancer: 'A rule for the path must lead to the WebSocket server.',
};

/** The proxy does not let the credentials through, or asks for its own. */
export const PASS_CREDENTIALS: Remedies = {
  nginx:
    '`auth_basic`, `auth_request`, `allow` and `deny` apply to WebSockets too. Headers that the server needs must not be replaced by `proxy_set_header`.',
  haproxy: 'Look for `http-request auth` and `http-request deny` that match the path.',
  loadBalancer:
    'Look for rules that authenticate, and for a web application firewall that blocks upgrades.',
};

/** The proxy cannot reach the server, or gets no answer from it. */
export const REACH_SERVER: Remedies = {
  nginx:
    '`proxy_pass` must name the host and port on which the server listens. The error log says what went wrong.',
  haproxy:
    '`show servers state` says whether the server is up. A health check that the server does not answer takes it out.',
  loadBalancer:
    'Check the port of the target and its health check: the check needs a path that answers plain HTTP.',
};

/** The certificate that the proxy presents is not accepted. */
export const RENEW_CERTIFICATE: Remedies = {
  nginx:
    '`ssl_certificate` must name a file with the certificate of this host and all intermediate ones, often fullchain.pem. Reload nginx after a renewal.',
  haproxy:
    'The file of `crt` must hold the certificate of this host, all intermediate ones and the key. Reload HAProxy after a renewal.',
  loadBalancer: 'Attach a valid certificate for this host name to the listener.',
};

/** The proxy has no TLS on this port. */
export const SERVE_TLS: Remedies = {
  nginx: 'The port needs TLS: listen 443 ssl;',
  haproxy: 'The port needs TLS: bind :443 ssl crt FILE',
  loadBalancer: 'The listener of this port must use HTTPS or TLS.',
};

/** The proxy changes the subprotocol. */
export const PASS_SUBPROTOCOL: Remedies = {
  nginx: 'nginx passes `Sec-WebSocket-Protocol` on, unless a `proxy_set_header` changes it.',
  haproxy:
    'Look for `http-request` and `http-response` rules that change `Sec-WebSocket-Protocol`.',
  loadBalancer: 'Check that its rules do not remove `Sec-WebSocket-Protocol`.',
};

/** The proxy changes the negotiation of compression. */
export const PASS_EXTENSIONS: Remedies = {
  nginx: 'nginx passes `Sec-WebSocket-Extensions` on, unless a `proxy_set_header` changes it.',
  haproxy:
    'Look for `http-request` and `http-response` rules that change `Sec-WebSocket-Extensions`.',
  loadBalancer: 'Check that its rules pass `Sec-WebSocket-Extensions` on in both directions.',
};

/** The proxy may collect data, or drop control frames. */
export const PASS_AT_ONCE: Remedies = {
  nginx:
    'nginx sends the data of an upgraded connection on at once; `proxy_buffering` has no effect on it. Look at the server, and at other proxies on the way.',
  haproxy:
    'HAProxy sends the data of an upgraded connection on at once, except for filters that inspect it. `option http-no-delay` avoids delays before the upgrade.',
  loadBalancer:
    'Firewalls and antivirus programs that inspect traffic may collect it. Exempt this host, or use wss:// so that they cannot read the data.',
};

/** The proxy closes idle connections. */
export const ALLOW_IDLE: Remedies = {
  nginx: 'In the location: proxy_read_timeout 1h; proxy_send_timeout 1h; the default is 60 s.',
  haproxy:
    'timeout tunnel 1h; if it is not set, `timeout client` and `timeout server` apply to WebSockets.',
  loadBalancer:
    'Raise the idle timeout of the load balancer, often 60 s. Some have a timeout for each request instead, which limits the age of a WebSocket.',
};
