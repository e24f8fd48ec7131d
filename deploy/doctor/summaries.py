"""A short summary of each hop that works, and the reason for each hop of which nothing can be known."""

from deploy.doctor.catalogue import Hop
from deploy.doctor.http_client import describe_error
from deploy.doctor.observations import Observations


def explain_unknown(hop: Hop, observations: Observations) -> str:
    """Return why the observations do not tell whether the hop works; empty when they do tell."""
    options = observations.options
    match hop:
        case Hop.REDIRECT if observations.http_reply is None:
            return "the port of plain http is not known: name it with --http-port"
        case Hop.UPGRADE_PROBE if not observations.upgrade_probe:
            reply = observations.upgrade_probe_reply
            return f"the site answers {reply} and not the stack's 426: the server that it reaches is not known"
        case Hop.WEBSOCKET if observations.is_visitor_refused:
            return "the handshake reaches the application, which refuses this visitor"
        case Hop.CHANNELS | Hop.HOLD | Hop.CLOSE if observations.is_visitor_refused:
            return "not probed: the application refuses this visitor"
        case Hop.CHANNELS if not observations.is_chat and not observations.engine_io:
            return "the WebSocket stays open; the doctor does not know its protocol"
        case Hop.LAYER if not is_redis_known(observations):
            return "the site has no /readyz of the stack's; --host asks Redis"
        case Hop.CHAT if not observations.is_chat:
            return "the site does not speak the chat's protocol"
        case Hop.CHAT if not options.cookie:
            return "not probed: it needs a session in DOCTOR_COOKIE"
        case Hop.CHAT if not options.room:
            return "signed in; the rest needs a room in DOCTOR_ROOM"
        case Hop.HOLD if not options.hold_seconds:
            return "not probed: it needs --hold 70 or --hold 250"
        case Hop.HOLD if observations.idle_result is None:
            return "the site closes WebSockets without a session within 5 s: it needs DOCTOR_COOKIE"
        case _:
            return ""


def is_redis_known(observations: Observations) -> bool:
    """Whether /readyz or the host's Redis tells about the channel layer."""
    host = observations.host
    return "redis_round_trip" in observations.readiness or bool(host and host.redis_info)


def summarize(hop: Hop, observations: Observations) -> str:
    """Return a few words about a hop that works."""
    match hop:
        case Hop.DNS:
            return ", ".join(observations.addresses)
        case Hop.TCP:
            errors = observations.tcp_errors.items()
            return ", ".join(f"{address} {describe_error(error) if error else 'answers'}" for address, error in errors)
        case Hop.TLS:
            return summarize_tls(observations)
        case Hop.REDIRECT:
            reply = observations.http_reply
            return f"http leads to {reply.headers.get('location')}" if reply else ""
        case Hop.HTTP:
            page = observations.page_replies[-1]
            return f"{observations.options.page_path} answers {page} in {page.seconds * 1000:.0f} ms"
        case Hop.UPGRADE_PROBE if observations.is_routed_by_upgrade:
            return "nginx sends handshakes to the ASGI server by their Upgrade header, with Host and scheme"
        case Hop.UPGRADE_PROBE:
            return "the request reaches the ASGI server, with Host and scheme"
        case Hop.WEBSOCKET:
            handshake = observations.handshake
            return f"101 in {handshake.reply.seconds * 1000:.0f} ms" if handshake else ""
        case Hop.CHANNELS:
            return summarize_channels(observations)
        case Hop.LAYER if "channel_layer" in observations.readiness:
            return "Redis answers, and a message passes the channel layer"
        case Hop.LAYER:
            return "Redis answers"
        case Hop.CHAT:
            return "signed in; an event of one WebSocket reaches another"
        case Hop.HOLD:
            idle = observations.idle_result
            return f"after {idle.seconds:.0f} s of silence a ping is answered" if idle else ""
        case Hop.CLOSE:
            close = observations.close_reply
            return f"close 1000 is answered by {close.code}" if close else ""


def summarize_tls(observations: Observations) -> str:
    """Return the TLS version, the HTTP versions and the certificate's remaining days at the first address."""
    first = next(iter(observations.tls.values()))
    days = f"{first.days_left:.0f} days left" if first.days_left is not None else "certificate not verified"
    return f"{first.version}, HTTP/1.1{' and 2' if first.alpn_with_h2 == 'h2' else ''}, {days}"


def summarize_channels(observations: Observations) -> str:
    """Return what the application answered on the WebSocket."""
    if observations.engine_io:
        return f"Socket.IO answers, and pings every {observations.engine_io.ping_interval_seconds or 0:g} s"
    return "the application answers hello, after a query of its database"
