# nginx with a site's configuration, the same files as on a host; only nginx/targets/docker/ differs.
# Build from the repository's root: docker build -f docker/nginx.Dockerfile .
ARG NGINX_IMAGE=nginx:stable
FROM ${NGINX_IMAGE}
COPY nginx/nginx.conf nginx/http.conf /etc/nginx/
COPY nginx/sites /etc/nginx/sites
COPY nginx/snippets /etc/nginx/snippets
COPY nginx/errors /etc/nginx/errors
COPY nginx/targets/docker /etc/nginx/target
COPY docker/environment.sh docker/renew-certificate.sh /docker-entrypoint.d/
# OpenSSL 3.5 supports the post-quantum group; with an older one nginx would not start (nginx/snippets/curves.conf).
RUN case "$(nginx -V 2>&1)" in *"OpenSSL 3."[5-9]* | *"OpenSSL "[4-9].*) \
        mv /etc/nginx/snippets/curves-post-quantum.conf /etc/nginx/snippets/curves.conf ;; esac
# Since 1.27.3 an upstream group of nginx can follow the DNS.
RUN case "$(nginx -v 2>&1)" in */1.2[56].* | */1.27.[0-2]*) ;; *) \
        mv /etc/nginx/target/upstreams-least-conn.conf /etc/nginx/target/upstreams.conf ;; esac
# The account of the official image, as a number: an engine that refuses root can check a number.
USER 101:101
