#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# python3 -m http.server serves Python's urllib, and curl sends to a Python server.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

PY=/usr/bin/python3
cat > "$WORK/get.py" <<'END'
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as r, open(sys.argv[2], "wb") as f:
    shutil.copyfileobj(r, f)
END
cat > "$WORK/put.py" <<'END'
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_PUT(self):
        with open(sys.argv[3], "wb") as f:
            f.write(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
END

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve "$PY" -m http.server --bind "$ADDR" -d "$WORK/www" 8000
	check "http.server listens" ready 8000
	check "urllib, $MB MB" fetched "$PY" "$WORK/get.py" "http://$ADDR:8000/file" "$WORK/got"
	full || return
	stop_in "$B"
	serve "$PY" "$WORK/put.py" "$ADDR" 8001 "$WORK/got"
	check "the upload server listens" ready 8001
	check "curl uploads $MB MB" fetched curl -sS -T "$WORK/www/file" "http://$ADDR:8001/file"
}

if full; then ktap_plan 12; else ktap_plan 6; fi
env_init
every_way one_way
ktap_end
