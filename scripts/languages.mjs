// Parses code blocks in other languages and runs minimal peers in them on the vectors. A peer defines
// `answer(message)`; the program around it prints the answers to a JSON list of texts. Each entry
// returns the arguments of `keep` of run.mjs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';
import { findTools } from './tools.mjs';

function write(folder, name, code) {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

const PYTHON_PARSE = 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read())';

const PYTHON = `
import json, sys
print(json.dumps([answer(text) for text in json.load(open(sys.argv[1], encoding='utf-8'))]))
`;

const PHP = `
$texts = json_decode(file_get_contents($argv[1]));
echo json_encode(array_map('answer', $texts));
`;

const GO = `
func main() {
	file, _ := os.ReadFile(os.Args[1])
	var texts []string
	if err := json.Unmarshal(file, &texts); err != nil { panic(err) }
	answers := []interface{}{}
	for _, text := range texts {
		if said, ok := answer(text); ok { answers = append(answers, said) } else { answers = append(answers, nil) }
	}
	out, _ := json.Marshal(answers)
	fmt.Println(string(out))
}
`;

/** Joins the imports of the block with ours, because Go requires imports first. */
function goProgram(code) {
  const own = [...code.matchAll(/^import "([^"]+)"$/gm)].map((match) => match[1]);
  const imports = new Set(['encoding/json', 'fmt', 'os', ...own]);
  const body = code.replace(/^package main$|^import "[^"]+"$/gm, '');
  return `package main\n\nimport (${[...imports].map((name) => `"${name}"`).join('; ')})\n${body}${GO}`;
}

function phpProgram(code) {
  return code.startsWith('<?php') ? code : `<?php\n${code}`;
}

/** Wraps a block in a complete nginx configuration. Nginx only parses it. */
const nginxProgram = (folder, code) => `
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server { listen unix:${folder}/nginx.sock;
${code}
  }
}
`;

export const LANGUAGES = {
  python: {
    tool: 'python3',
    parse: (folder, code) => ['python3', ['-c', PYTHON_PARSE, write(folder, 'block.py', code)]],
    peer: (folder, code, texts) => ['python3', [write(folder, 'peer.py', code + PYTHON), texts]],
  },
  nginx: {
    tool: 'nginx',
    parse: (folder, code) => {
      const file = write(folder, 'nginx.conf', nginxProgram(folder, code));
      return [findTools().nginx, ['-t', '-q', '-p', folder, '-e', 'stderr', '-c', file]];
    },
  },
  haproxy: {
    tool: 'haproxy',
    parse: (folder, code) => [
      findTools().haproxy,
      ['-c', '-q', '-f', write(folder, 'haproxy.cfg', code)],
    ],
  },
  php: {
    tool: 'php',
    parse: (folder, code) => ['php', ['-l', write(folder, 'block.php', phpProgram(code))]],
    peer: (folder, code, texts) => [
      'php',
      [write(folder, 'peer.php', phpProgram(code) + PHP), texts],
    ],
  },
  go: {
    tool: 'go',
    parse: (folder, code) => ['gofmt', ['-e', '-l', write(folder, 'block.go', code)]],
    // Built first, because `go run` leaves its child process behind when killed.
    peer: (folder, code, texts) => {
      const build = 'GOCACHE="$0" go build -o "$1" "$2" && exec "$1" "$3"';
      const files = [join(folder, 'peer'), write(folder, 'peer.go', goProgram(code)), texts];
      return ['sh', ['-c', build, `${root}node_modules/.cache/go`, ...files]];
    },
  },
};
