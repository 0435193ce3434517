// The harness of JavaScript modules: loads one, tells what is public in it, and calls it. README.md tells of the
// conversation.
//
// Runs by `node -e`, for Node.js 18 and later. It uses descriptor 0 without a stream, as to load those takes as long as
// many a module does: promises are settled between two reads. Where several calls may be in flight, there is a stream.
'use strict';

// A block, so that nothing of this is a global variable of the module's.
{
  const fs = require('fs');
  const path = require('path');
  // Taken now, because modules may replace them.
  const { readSync, writeSync } = fs;
  const { setImmediate, setTimeout } = globalThis;
  const { cache } = require;
  const load = require;
  const leave = process.exit.bind(process);

  const DEEPEST = 200;
  // Far more than a caller can use: a generator may have no end.
  const LONGEST = 1_000_000;
  const INTERNAL_ERROR = -32603;
  const LONG_MAX = 2n ** 63n - 1n;
  const CHUNK = 65_536;
  // The milliseconds that what a module has begun, and not waited for, gets at the end.
  const LAST_MOMENT = 100;
  const BOXES = [Number, String, Boolean];
  const MEANINGLESS = [Promise, RegExp, Error, WeakMap, WeakSet];
  const NAMES_OF_NODE = ['constructor', 'module.exports'];

  const IS_ESM = /(?:^|[;}])\s*(?:import|export)\b(?!\s*\()/m;
  const IMPORTS = /\b(?:from|import)\s*\(?\s*(["'])(\.\.?\/[^"'\n]+)\1/g;
  // A class on one line, or up to the brace that is indented as its first line is.
  const ERROR_CLASSES = /^([ \t]*)(?:[\w.]+\s+|=\s*)*class\s+(\w+)\s+extends\s[^{]*\{(.*\}[;\s]*$|[^]*?^\1\})/gm;
  const OWN_CODE = /(?:^|[{;\s.])code\s*=\s*(-?\d+)\s*(?:[;}\n]|$)/;
  const FRAMES_OF_HARNESS = /\n\s+at [^\n]*\[eval\]\S*/g;
  const HALF_A_PAIR = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/;

  // The module, its folder with a slash, and the object that has the functions.
  let file;
  let folder;
  let holder;
  // Whether the holder's members are the module's export list, and not an object's methods.
  let isExportList = false;
  let isLoading = false;
  // Ends the calls that have no answer yet, each with an error.
  const inFlight = new Map();

  // ------------------------------------------------------------------------------------------------------- process

  // Says that a function wanted to end the process.
  class Exit extends Error {}

  async function run() {
    const first = readLine();
    if (first === undefined) return;
    const setup = JSON.parse(first);
    guardProcess();
    isLoading = true;
    try {
      await loadModule(setup);
      if (setup.describe) send(JSON.stringify({ described: description() }));
    } catch (thrown) {
      isLoading = false;
      send(JSON.stringify({ broken: placeOfMistake(thrown) ?? account(thrown) }));
      leave(1);
    }
    isLoading = false;
    await (setup.concurrent > 1 ? serveConcurrently() : serve());
    inFlight.clear();
    setTimeout(leave, LAST_MOMENT).unref();
  }

  // Keeps the process alive whatever the module does, and the socket out of its sight.
  function guardProcess() {
    // A module asks by this whether it is the program. It must be a file that exists, and another one.
    process.argv[1] = process.execPath;
    for (const name of ['require', 'module', 'exports', '__filename', '__dirname']) delete globalThis[name];
    let stdin;
    Object.defineProperty(process, 'stdin', {
      configurable: true,
      enumerable: true,
      get: () => (stdin ??= fs.createReadStream('/dev/null')),
    });
    process.exit = exitOfModule;
    process.on('uncaughtException', unexpected);
    process.on('unhandledRejection', unexpected);
    process.on('beforeExit', endHopelessCalls);
    process.on('exit', (status) => {
      const text = 'the process ended while the module was loaded: it exits, or awaits what cannot come';
      if (isLoading) send(JSON.stringify({ broken: `${text} (status ${status})` }));
    });
  }

  function exitOfModule(code = process.exitCode ?? 0) {
    if (isLoading || inFlight.size === 0) leave(code);
    throw new Exit(`the function called process.exit(${code})`);
  }

  // Without these, an error in a callback would end the process.
  function unexpected(thrown) {
    if (thrown instanceof Exit) {
      endCalls(thrown);
      return;
    }
    try {
      writeSync(2, `${account(thrown)}\n`);
    } catch {
      // There is no log any more.
    }
  }

  // Nothing is left that could settle a promise.
  function endHopelessCalls() {
    if (inFlight.size === 0) return;
    endCalls(new Error('the function awaits what cannot come: nothing is left to wait for'));
    // Node asks again only if there was something to do.
    setImmediate(() => {});
  }

  function endCalls(error) {
    for (const end of inFlight.values()) end(error);
  }

  async function serve() {
    for (let line; (line = readLine()) !== undefined;) {
      // One turn of the event loop: timers, rejections, and connections that have been closed meanwhile.
      await new Promise(setImmediate);
      await answer(line);
    }
  }

  function serveConcurrently() {
    const { Socket } = load('net');
    const socket = new Socket({ fd: 0, readable: true, writable: false });
    const start = () => {
      while (lines.length > 0) answer(lines.shift()).catch(endBroken);
    };
    socket.on('data', (octets) => {
      addOctets(octets);
      start();
    });
    start();
    return new Promise((resolve) => socket.on('error', resolve).on('close', resolve));
  }

  // The conversation itself has failed.
  function endBroken(thrown) {
    unexpected(thrown);
    leave(1);
  }

  // --------------------------------------------------------------------------------------------------------- lines

  // Lines that have been read, and the pieces of one that has not come to its end.
  const lines = [];
  let pieces = [];

  function addOctets(octets) {
    let start = 0;
    for (let end; (end = octets.indexOf(10, start)) !== -1; start = end + 1) {
      pieces.push(octets.subarray(start, end));
      lines.push(Buffer.concat(pieces).toString());
      pieces = [];
    }
    if (start < octets.length) pieces.push(octets.subarray(start));
  }

  // Waits for a line. There is none at the end of the input.
  function readLine() {
    while (lines.length === 0) {
      const octets = Buffer.allocUnsafe(CHUNK);
      const count = retried(() => readSync(0, octets));
      if (count === 0) return undefined;
      addOctets(octets.subarray(0, count));
    }
    return lines.shift();
  }

  function send(line) {
    const octets = Buffer.from(`${line}\n`);
    for (let sent = 0; sent < octets.length;) sent += retried(() => writeSync(0, octets, sent));
  }

  // A program that shares the descriptor may have set it to non-blocking. Without a socket, this ends.
  function retried(step) {
    for (;;) {
      try {
        return step();
      } catch (error) {
        if (error.code !== 'EAGAIN') leave(1);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }

  // --------------------------------------------------------------------------------------------------------- calls

  async function answer(line) {
    const document = JSON.parse(line);
    // Most texts have no tags, and need no walk.
    const call = line.includes('{"$') ? fromWire(document) : document;
    const ended = new Promise((_, reject) => inFlight.set(call.id, reject));
    let outcome;
    try {
      outcome = `"result":${resultText(await Promise.race([called(call), ended]))}`;
    } catch (thrown) {
      const fault = faultOf(thrown);
      outcome = fault ? `"fault":${JSON.stringify(fault)}` : `"error":${JSON.stringify(account(thrown))}`;
    }
    inFlight.delete(call.id);
    send(`{"id":${call.id},${outcome}}`);
  }

  async function called({ call, args, context }) {
    const run = holder[call];
    if (typeof run !== 'function') throw new Error(`the module has no function ${call}`);
    if (context) {
      args.length = Math.max(args.length, context.index);
      args.splice(context.index, 0, context.value);
    }
    const result = await Reflect.apply(run, holder, args);
    return typeof result?.[Symbol.asyncIterator] === 'function' ? collectedAsync(result) : result;
  }

  async function collectedAsync(source) {
    const items = [];
    for await (const item of source) addItem(items, item);
    return items;
  }

  function addItem(items, item) {
    if (items.length === LONGEST) unwritable(`it has more than ${LONGEST} members`);
    items.push(item);
  }

  // An error is for the caller if its class is of the module's folder and has a code. Libraries' errors have codes too,
  // but their texts tell of paths and queries.
  function faultOf(thrown) {
    try {
      if (thrown instanceof Refused) return [INTERNAL_ERROR, wellFormed(thrown.message)];
      const { code } = thrown;
      return code === (code | 0) && isOwn(thrown.constructor) ? [code, wellFormed(`${thrown.message}`)] : undefined;
    } catch {
      // There may be nothing to ask for a code, and to ask may throw.
      return undefined;
    }
  }

  function account(thrown) {
    const isError = thrown instanceof Error;
    for (const read of [load('util').inspect, ({ stack }) => stack]) {
      try {
        return wellFormed(isError ? read(thrown).replace(FRAMES_OF_HARNESS, '') : `thrown: ${read(thrown)}`);
      } catch {
        // An error's text may fail by itself.
      }
    }
    return 'an error was thrown whose text cannot be read';
  }

  // Returns a text for people, whatever there is in it.
  function wellFormed(text) {
    return Buffer.from(text).toString();
  }

  // -------------------------------------------------------------------------------------------------------- values

  // Returns a value with its tags resolved, from the inside outwards: what a tag has become is not looked at again.
  function fromWire(value) {
    if (typeof value !== 'object' || value === null) return value;
    const names = Object.keys(value);
    for (const name of names) value[name] = fromWire(value[name]);
    return names.length === 1 && names[0].startsWith('$') ? untagged(names[0], value[names[0]]) : value;
  }

  function untagged(tag, value) {
    switch (tag) {
      // Without a zone it is one of the local zone.
      case '$date': return new Date(value);
      case '$bytes': return Buffer.from(value, 'base64');
      case '$int': return BigInt(value);
      case '$absent': return undefined;
      default: return { [tag.slice(1)]: value };
    }
  }

  // Says that a result cannot be written.
  class Refused extends Error {}

  function unwritable(what) {
    throw new Refused(`the result cannot be written: ${what}`);
  }

  function resultText(result) {
    const text = json(result, 0);
    if (text.includes('\\ud') && HALF_A_PAIR.test(text)) unwritable('text with half of a surrogate pair');
    return text;
  }

  function json(value, depth) {
    switch (typeof value) {
      case 'string': return JSON.stringify(value);
      case 'number': return jsonNumber(value);
      case 'boolean': return value ? 'true' : 'false';
      case 'undefined': return 'null';
      case 'object': return value === null ? 'null' : jsonObject(value, depth + 1);
      case 'bigint': return jsonInteger(value);
      default: return unwritable(`a ${typeof value}`);
    }
  }

  function jsonNumber(number) {
    if (!Number.isFinite(number)) unwritable(`${number}`);
    // Up to 1e21 it would look like an integer, and be too wide for one.
    return Math.abs(number) < 2 ** 63 ? `${number}` : number.toExponential();
  }

  function jsonInteger(integer) {
    if (integer > LONG_MAX || integer < -LONG_MAX - 1n) unwritable('an integer of more than 64 bits');
    return `${integer}`;
  }

  function jsonObject(value, depth) {
    if (depth > DEEPEST) unwritable(`it contains itself, or is nested deeper than ${DEEPEST}`);
    if (Array.isArray(value)) return jsonItems(value, depth);
    if (value instanceof Date) return jsonDate(value);
    const octets = octetsOf(value);
    if (octets) return `{"$bytes":"${octets.toString('base64')}"}`;
    if (typeof value.toJSON === 'function') {
      const plain = value.toJSON();
      if (plain !== value) return json(plain, depth);
    }
    if (value instanceof Map) return jsonMembers(membersOf(value), depth);
    if (BOXES.some((known) => value instanceof known)) return json(value.valueOf(), depth);
    if (typeof value[Symbol.iterator] === 'function') return jsonItems(collected(value), depth);
    const kind = MEANINGLESS.find((known) => value instanceof known);
    return kind ? unwritable(`an object of the class ${kind.name}`) : jsonMembers(value, depth);
  }

  function jsonItems(items, depth) {
    let text = '';
    for (let index = 0; index < items.length; index++) text += (index > 0 ? ',' : '') + json(items[index], depth);
    return `[${text}]`;
  }

  // Members that are undefined are left out, as everywhere in JavaScript.
  function jsonMembers(members, depth) {
    let text = '';
    let count = 0;
    for (const name of Object.keys(members)) {
      const item = members[name];
      if (item === undefined) continue;
      text += `${count > 0 ? ',' : ''}${JSON.stringify(name)}:${json(item, depth)}`;
      count++;
    }
    // What has the form of a tag gets one `$` more.
    return count === 1 && text.startsWith('"$') ? `{"$${text.slice(1)}}` : `{${text}}`;
  }

  // A date has no zone on the wire: it is what a clock shows here.
  function jsonDate(date) {
    const year = date.getFullYear();
    if (!(year >= 0 && year <= 9999)) unwritable(Number.isNaN(year) ? 'an invalid date' : `a date of the year ${year}`);
    const padded = (number, width = 2) => String(number).padStart(width, '0');
    const day = `${padded(year, 4)}-${padded(date.getMonth() + 1)}-${padded(date.getDate())}`;
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => padded(part)).join(':');
    const fraction = date.getMilliseconds() > 0 ? `.${padded(date.getMilliseconds(), 3)}` : '';
    return `{"$date":"${day}T${time}${fraction}"}`;
  }

  function octetsOf(value) {
    if (value instanceof Uint8Array || value instanceof Uint8ClampedArray || value instanceof DataView) {
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ? Buffer.from(value) : undefined;
  }

  function membersOf(map) {
    const members = Object.create(null);
    for (const [key, item] of map) {
      if (['object', 'function', 'symbol'].includes(typeof key)) unwritable('a key that is no text');
      members[key] = item;
    }
    return members;
  }

  function collected(source) {
    const items = [];
    for (const item of source) addItem(items, item);
    return items;
  }

  // -------------------------------------------------------------------------------------------------------- module

  async function loadModule(setup) {
    // With links resolved, as Node has it.
    file = fs.realpathSync(setup.file);
    folder = `${path.dirname(file)}/`.replace('//', '/');
    const exported = await exportsOfFile();
    holder = setup.object === undefined ? functionsOf(exported) : namedObject(exported, setup.object);
  }

  // By `require` what can be, as it is faster, and a module that looks for its parent finds one.
  async function exportsOfFile() {
    if (!file.endsWith('.mjs') && !IS_ESM.test(source(file))) {
      try {
        return load(file);
      } catch (error) {
        if (error?.code !== 'ERR_REQUIRE_ESM' && error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
      }
    }
    const namespace = await import(load('url').pathToFileURL(file));
    return cache[file]?.exports ?? namespace;
  }

  // Returns the object with the functions: the exports, or what the module exports as a whole.
  function functionsOf(exported) {
    let whole = exported;
    if (isObject(exported) && exported.default && Object.keys(exported).every((name) => name === 'default')) {
      whole = exported.default;
    }
    if (typeof whole === 'function') whole = isClass(whole) ? {} : { [whole.name]: whole, ...whole };
    if (!isObject(whole)) return {};
    const prototype = Object.getPrototypeOf(whole);
    isExportList = prototype === null || prototype === Object.prototype;
    return whole;
  }

  // Returns the object that is meant: one that is exported, or an object of a class that is.
  function namedObject(exported, name) {
    const found = exported?.[name] ?? exported?.default?.[name];
    if (isObject(found)) return found;
    if (typeof found === 'function') return Reflect.construct(found, []);
    throw new Error(`the module exports no object or class ${name}`);
  }

  // Where an ES module cannot be parsed, an error does not have the place in it: Node only prints that.
  function placeOfMistake(thrown) {
    if (!(thrown instanceof SyntaxError) || `${thrown.stack}`.includes(folder)) return undefined;
    const { spawnSync } = load('child_process');
    const check = (name) => spawnSync(process.execPath, ['--check', name], { encoding: 'utf8' });
    return ownFiles().map(check).find(({ status }) => status !== 0)?.stderr;
  }

  function isObject(value) {
    return typeof value === 'object' && value !== null;
  }

  function isClass(value) {
    return /^class\b/.test(textOf(value));
  }

  // Returns a function's text, which is a piece of the source.
  function textOf(value) {
    return Function.prototype.toString.call(value);
  }

  function source(name) {
    return fs.readFileSync(name, 'utf8');
  }

  // Whether a function or class is of the module or of a file below its folder.
  function isOwn(value) {
    const text = textOf(value);
    return ownFiles().some((name) => source(name).includes(text));
  }

  // Returns the module and what it has loaded from its folder. Node does not tell which ES modules it has loaded.
  function ownFiles() {
    const files = new Set([file, ...Object.keys(cache).filter(isBelow)]);
    // A set can grow while it is walked.
    for (const name of files) {
      for (const [, , specifier] of source(name).matchAll(IMPORTS)) {
        const imported = path.resolve(path.dirname(name), specifier);
        if (isBelow(imported) && fs.statSync(imported, { throwIfNoEntry: false })?.isFile()) files.add(imported);
      }
    }
    return [...files];
  }

  function isBelow(name) {
    return name.startsWith(folder) && !name.slice(folder.length - 1).includes('/node_modules/');
  }

  // --------------------------------------------------------------------------------------------------- description

  function description() {
    const text = source(file);
    const placed = publicFunctions().map(([name, value]) => ({ name, value, place: placeOf(name, value, text) }));
    placed.sort((one, other) => one.place - other.place);
    const functions = placed.map(({ name, value, place }) => told(name, value, text, place));
    const files = ownFiles();
    return { functions, files, version: process.version, codes: Object.assign({}, ...files.map(codesOf)) };
  }

  // Returns the functions with their names. Looks at no property that runs code, but where that is an export.
  function publicFunctions() {
    const found = new Map();
    for (const layer of layers()) {
      for (const name of Object.getOwnPropertyNames(layer)) {
        const property = Object.getOwnPropertyDescriptor(layer, name);
        const value = isExportList && property.get ? layer[name] : property.value;
        if (!found.has(name) && isPublic(name, value)) found.set(name, value);
      }
    }
    return [...found];
  }

  // Returns the holder, and the prototypes whose classes are the module's own.
  function layers() {
    const found = [holder];
    if (isExportList) return found;
    for (let layer = Object.getPrototypeOf(holder); layer; layer = Object.getPrototypeOf(layer)) {
      const constructor = Object.getOwnPropertyDescriptor(layer, 'constructor')?.value;
      if (typeof constructor === 'function' && isOwn(constructor)) found.push(layer);
    }
    return found;
  }

  function isPublic(name, value) {
    const isMeant = typeof value === 'function' && !name.startsWith('_') && !NAMES_OF_NODE.includes(name);
    return isMeant && !isClass(value) && (isExportList || isOwn(value));
  }

  // Returns where a function stands in the source; functions may have the same text, and then the name decides. What
  // is from elsewhere comes last.
  function placeOf(name, value, text) {
    const own = textOf(value);
    for (let place = text.indexOf(own); place !== -1; place = text.indexOf(own, place + 1)) {
      if (text.slice(0, place).trimEnd().replace(/\s*[:=]$/, '').endsWith(name)) return place;
    }
    const place = text.indexOf(own);
    return place === -1 ? text.length : place;
  }

  function told(name, value, text, place) {
    const own = textOf(value);
    const found = { name, listed: false };
    if (place < text.length) found.line = text.slice(0, place).split('\n').length;
    if (!own.endsWith('{ [native code] }')) found.source = own;
    return found;
  }

  // Returns the codes of a file's classes of errors, as they stand there: to make an error may do anything.
  function codesOf(name) {
    const codes = {};
    for (const [, , className, body] of source(name).matchAll(ERROR_CLASSES)) {
      const code = Number(OWN_CODE.exec(body)?.[1]);
      if (code === (code | 0)) codes[className] = code;
    }
    return codes;
  }

  run().catch(endBroken);
}
