<?php

namespace Rpcgi\Harness;

/*
 * The harness of PHP modules: loads one, tells what is public in it, and calls it. README.md has the conversation.
 *
 * Runs by `php -r`, for PHP 8.0 and later. Everything but the file's text has a namespace of its own, so that a module
 * may have functions of any name; and no variable is global here, because those are the module's.
 */

const WRITTEN = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION
    | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR;
const DEEPEST = 200;
/** Far more than a caller can use: a generator may have no end. */
const LONGEST = 1_000_000;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/** The conversation, and the module it is about. */
final class Session
{
    /** @var resource */
    public static $socket;
    /** @var resource what reads descriptor 0 meets its end */
    public static $nothing;
    public static int $process;
    /** The id of the call that has no answer yet; "load" until the module is there. */
    public static int|string|null $pending = 'load';
    /** Given up to have the memory for a last answer. */
    public static ?string $reserve;

    public static string $file = '';
    public static string $folder;
    public static ?string $context;
    public static bool $describe;
    /** Whether the file is a program that serves XML-RPC by itself. */
    public static bool $script;
    /** The name of the object whose methods are meant, then that object; none: the module's functions. */
    public static string|object|null $object;
    /** @var \ReflectionFunctionAbstract[] by the name they are called with */
    public static array $functions = [];
}

start();
try {
    // Not in a function: what the module sets has to be global, or `global $db` in its functions finds nothing.
    require_once Session::$file;
    if (Session::$script) {
        \Rpcgi\Script\check_served();
        exit(0);
    }
    if (is_string(Session::$object)) {
        Session::$object = named_object(Session::$object);
    }
} catch (\Throwable $thrown) {
    if (Session::$script && Session::$pending === null) {
        throw $thrown;
    }
    answer(['broken' => account($thrown)]);
    exit(1);
}
converse();

/** Takes the socket, and reads which module is meant. */
function start(): void
{
    // The socket moves up, and /dev/null takes the lowest free number, which is 0.
    Session::$socket = fopen('php://fd/0', 'r+');
    fclose(STDIN);
    Session::$nothing = fopen('/dev/null', 'r');
    Session::$process = getmypid();
    Session::$reserve = str_repeat("\0", 16_384);
    // A module that closes its output, and prints then, would end without this.
    ignore_user_abort(true);
    register_shutdown_function('Rpcgi\Harness\shutdown');

    $line = read_line();
    if ($line === null) {
        Session::$pending = null;
        exit(0);
    }
    $setup = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    // With links resolved, as `__FILE__` and reflection have it.
    Session::$file = realpath($setup['file']) ?: $setup['file'];
    Session::$folder = rtrim(dirname(Session::$file), '/') . '/';
    Session::$object = $setup['object'] ?? null;
    Session::$context = $setup['context'] ?? null;
    Session::$describe = $setup['describe'];
    Session::$script = ($setup['as'] ?? '') === 'script';
    set_include_path(Session::$folder . PATH_SEPARATOR . get_include_path());
    if (Session::$script) {
        // What stands in for its library is on the command line.
        eval('?>' . $_SERVER['argv'][1]);
        \Rpcgi\Script\prepare(Session::$file);
    }
}

/** Tells of the module, if that is wanted, and answers calls until there are no more. */
function converse(): void
{
    if (Session::$describe) {
        try {
            $described = description();
        } catch (\Throwable $thrown) {
            answer(['broken' => account($thrown)]);
            exit(1);
        }
        answer(['described' => $described]);
    }
    Session::$pending = null;
    while (($line = read_line()) !== null) {
        $call = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
        Session::$pending = $call['id'];
        // A limit that the module sets is for each call, as in a web server.
        if ($seconds = (int) ini_get('max_execution_time')) {
            set_time_limit($seconds);
        }
        // Most texts have no tags, and need no walk.
        answer(['id' => $call['id']] + outcome(str_contains($line, '{"$') ? from_wire($call) : $call));
        unset($call, $line);
    }
}

/** The rest of the conversation is for rpcgi if the module exits or fails beyond all catching. */
function shutdown(): void
{
    // A process that the module has forked ends as it likes.
    if (Session::$pending === null || getmypid() !== Session::$process) {
        return;
    }
    Session::$reserve = null;
    ini_set('memory_limit', (string) (memory_get_usage(true) + 16 * 1024 * 1024));
    $last = error_get_last();
    $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
    $text = $last && ($last['type'] & $fatal)
        ? "fatal error: {$last['message']} in {$last['file']} on line {$last['line']}"
        : 'exit was called';
    answer(Session::$pending === 'load' ? ['broken' => $text] : ['id' => Session::$pending, 'error' => $text]);
}

// ---------------------------------------------------------------------------------------------------------- lines

/** Returns the next line, or null at the end. */
function read_line(): ?string
{
    $line = fgets(Session::$socket, 8192);
    if ($line === false) {
        return null;
    }
    if (!str_ends_with($line, "\n")) {
        // So that a call which does not fit into the memory has an answer.
        if (sscanf($line, '{"id": %d', $id) === 1) {
            Session::$pending = $id;
        }
        $line .= fgets(Session::$socket);
    }
    return $line;
}

/** Writes a document on a line of its own. */
function answer(array $document): void
{
    // A process that the module has forked has no part in this.
    if (getmypid() !== Session::$process) {
        $error = $document['error'] ?? null;
        fwrite(STDERR, (string) $error);
        exit($error === null ? 0 : 255);
    }
    $line = json_encode($document, WRITTEN);
    $line .= "\n";
    Session::$pending = null;
    for ($rest = $line; $rest !== ''; $rest = substr($rest, $written)) {
        $written = fwrite(Session::$socket, $rest);
        if (!$written) {
            exit(1);
        }
    }
}

// ---------------------------------------------------------------------------------------------------------- calls

/** Says that a value cannot go the way it is asked to. */
final class Refused extends \Exception
{
}

/** Octets, where they have a type of their own: in scripts. */
final class Octets
{
    public function __construct(public string $octets)
    {
    }
}

/** Calls a function, and returns the members of the answer that tell what came of it. */
function outcome(array $call): array
{
    try {
        if (Session::$script) {
            return ['result' => to_wire(\Rpcgi\Script\call($call['call'], $call['args']))];
        }
        $function = callable_named($call['call']);
        $arguments = arguments($function, $call);
        $run = $function instanceof \ReflectionMethod ? [Session::$object, $function->name] : $function->name;
        return ['result' => to_wire($run(...$arguments))];
    } catch (Refused | \Rpcgi\Script\Fault $refused) {
        return ['fault' => [$refused->getCode(), $refused->getMessage()]];
    } catch (\Rpcgi\Script\Unknown) {
        return ['unknown' => true];
    } catch (\Throwable $thrown) {
        return is_for_caller($thrown)
            ? ['fault' => [$thrown->getCode(), (string) $thrown->getMessage()]]
            : ['error' => account($thrown)];
    } finally {
        // What the module keeps in buffers belongs to this call's part of the log.
        while ((ob_get_status()['flags'] ?? 0) & PHP_OUTPUT_HANDLER_REMOVABLE) {
            ob_end_flush();
        }
    }
}

/**
 * An exception is for the caller if it was made in the module or beside it, and has a code. Those that extensions
 * throw have codes too, but their messages tell SQL and paths: of PHP's own classes only the plain ones count.
 */
function is_for_caller(\Throwable $thrown): bool
{
    if (!is_code($thrown->getCode()) || !is_own($thrown->getFile())) {
        return false;
    }
    $class = new \ReflectionClass($thrown);
    return !$class->isInternal() || $class->getExtensionName() === 'SPL'
        || in_array($class->name, ['Exception', 'Error'], true);
}

/** Whether a code can be a fault's: an integer of 32 bits, and not the one that every exception has. */
function is_code(mixed $code): bool
{
    return is_int($code) && $code !== 0 && abs($code) <= 0x7FFF_FFFF;
}

/** Whether a file is the module or one below its folder, and not of a library that was installed there. */
function is_own(string|false $file): bool
{
    return $file !== false && str_starts_with($file, Session::$folder)
        && !str_contains(substr($file, strlen(Session::$folder) - 1), '/vendor/');
}

/** Returns all that is known of an exception, for the log. */
function account(\Throwable $thrown): string
{
    try {
        return (string) $thrown;
    } catch (\Throwable) {
        // An exception's text may fail by itself.
        return get_class($thrown) . " in {$thrown->getFile()}:{$thrown->getLine()}";
    }
}

/** Returns the function of a name that was told, and no other: not every function of PHP is public. */
function callable_named(string $name): \ReflectionFunctionAbstract
{
    if (!isset(Session::$functions[$name])) {
        // One function is found at once, without a look at all the others.
        if (!Session::$object && function_exists($name) && is_of_module($found = new \ReflectionFunction($name))) {
            Session::$functions[$name] = $found;
        } else {
            Session::$functions = functions();
        }
    }
    return Session::$functions[$name] ?? throw new \Error("the module has no function $name");
}

/** Returns the arguments of a call as the function's own types want them, the named ones last. */
function arguments(\ReflectionFunctionAbstract $function, array $call): array
{
    $arguments = $call['args'];
    $named = $call['named'] ?? [];
    if (isset($call['context'])) {
        ['name' => $name, 'index' => $index, 'value' => $value] = $call['context'] + ['index' => PHP_INT_MAX];
        if ($index <= count($arguments)) {
            array_splice($arguments, $index, 0, [(object) $value]);
        } else {
            $named[$name] = (object) $value;
        }
    }
    foreach ($function->getParameters() as $index => $param) {
        $type = $param->getType();
        if ($param->isVariadic()) {
            for (; $index < count($arguments); $index++) {
                $arguments[$index] = made($arguments[$index], $type, $index + 1, $param->name);
            }
        } elseif (array_key_exists($index, $arguments)) {
            $arguments[$index] = made($arguments[$index], $type, $index + 1, $param->name);
        } elseif (array_key_exists($param->name, $named)) {
            $named[$param->name] = made($named[$param->name], $type, $index + 1, $param->name);
        }
    }
    return $arguments + $named;
}

/** Returns a value as its declared type wants it: dates of a class, members of an enum, objects of a struct. */
function made(mixed $value, ?\ReflectionType $type, int $number, string $name): mixed
{
    if ($type instanceof \ReflectionUnionType && $value instanceof \DateTimeInterface) {
        $types = array_filter($type->getTypes(), fn ($one) => is_a($one->getName(), \DateTimeInterface::class, true));
        $type = reset($types);
    }
    if (!$type instanceof \ReflectionNamedType || $value === null) {
        return $value;
    }
    $class = $type->getName();
    if ($class === 'array' && $value instanceof \stdClass) {
        return (array) $value;
    }
    if ($class === 'object' || $class === 'stdClass') {
        return objects($value);
    }
    if ($type->isBuiltin()) {
        return $value;
    }
    if ($value instanceof \DateTimeInterface) {
        return $value instanceof $class || !is_a($class, \DateTimeInterface::class, true)
            ? $value : $class::createFromInterface($value);
    }
    if (is_a($class, \UnitEnum::class, true)) {
        return enum_member($class, $value) ?? throw new Refused(
            "param $number \"$name\": expected one of " . listing(enum_values($class)) . ', found ' . listing([$value]),
            INVALID_PARAMS,
        );
    }
    return is_array($value) && ($members = shape($class)) !== null ? shaped($class, $members, $value) : $value;
}

/** Returns a value whose maps, at any depth, are objects. */
function objects(mixed $value): mixed
{
    if (!is_array($value)) {
        return $value;
    }
    $inner = array_map('Rpcgi\Harness\objects', $value);
    return $value !== [] && array_keys($value) === range(0, count($value) - 1) ? $inner : (object) $inner;
}

/** Returns what the members of an enum are on the wire. */
function enum_values(string $enum): array
{
    return array_map(fn ($case) => $case->value ?? $case->name, $enum::cases());
}

/** Returns the member that has a value on the wire, or null. */
function enum_member(string $enum, mixed $value): ?object
{
    foreach ($enum::cases() as $case) {
        if (($case->value ?? $case->name) === $value) {
            return $case;
        }
    }
    return null;
}

/** Returns values as a text for people. */
function listing(array $values): string
{
    return implode(', ', array_map(fn ($value) => json_encode($value, WRITTEN), $values));
}

/**
 * Returns the members of a class that is a struct with types, or null for any other: one whose constructor does no
 * more than to set public properties, or that has no constructor at all.
 *
 * @return array<string, \ReflectionParameter|\ReflectionProperty>|null
 */
function shape(string $class): ?array
{
    static $known = [];
    if (array_key_exists($class, $known)) {
        return $known[$class];
    }
    $members = [];
    $reflected = class_exists($class) ? new \ReflectionClass($class) : null;
    if ($reflected === null || $reflected->isInternal() || !$reflected->isInstantiable()
        || $reflected->implementsInterface(\JsonSerializable::class)
        || $reflected->implementsInterface(\Traversable::class)) {
        return $known[$class] = null;
    }
    if ($constructor = $reflected->getConstructor()) {
        foreach ($constructor->getParameters() as $param) {
            if (!$param->isPromoted() || !$reflected->getProperty($param->name)->isPublic()) {
                return $known[$class] = null;
            }
            $members[$param->name] = $param;
        }
    } else {
        foreach ($reflected->getProperties(\ReflectionProperty::IS_PUBLIC) as $property) {
            if (!$property->isStatic()) {
                $members[$property->name] = $property;
            }
        }
    }
    return $known[$class] = $members ?: null;
}

/** Returns an object of a class, made of the members of a struct. */
function shaped(string $class, array $members, array $value): object
{
    $number = 0;
    foreach ($members as $name => $member) {
        if (array_key_exists($name, $value)) {
            $value[$name] = made($value[$name], $member->getType(), ++$number, $name);
        }
    }
    if (reset($members) instanceof \ReflectionParameter) {
        return new $class(...$value);
    }
    $object = new $class();
    foreach ($value as $name => $item) {
        $object->$name = $item;
    }
    return $object;
}

// --------------------------------------------------------------------------------------------------------- values

/** Returns a value with its tags resolved. From the inside outwards: what a tag has become is not looked at again. */
function from_wire(array $value): mixed
{
    foreach ($value as $key => $item) {
        if (is_array($item)) {
            $value[$key] = from_wire($item);
        }
    }
    $key = array_key_first($value);
    if (!is_string($key) || count($value) !== 1 || !str_starts_with($key, '$')) {
        return $value;
    }
    return match ($key) {
        '$date' => new \DateTimeImmutable($value[$key]),
        '$bytes' => Session::$script ? new Octets(base64_decode($value[$key])) : base64_decode($value[$key]),
        '$int' => (int) $value[$key],
        default => [substr($key, 1) => $value[$key]],
    };
}

/** Returns a value that `json_encode` writes as rpcgi reads it. */
function to_wire(mixed $value, int $depth = 0): mixed
{
    return match (true) {
        is_string($value) => preg_match('//u', $value) ? $value : ['$bytes' => base64_encode($value)],
        is_array($value) => members_to_wire($value, $depth + 1),
        is_object($value) => object_to_wire($value, $depth + 1),
        is_float($value) && is_nan($value) => unwritable('NaN'),
        is_float($value) && is_infinite($value) => unwritable($value > 0 ? 'infinity' : '-infinity'),
        is_scalar($value), $value === null => $value,
        default => unwritable('a ' . get_debug_type($value)),
    };
}

/** Refuses a result. */
function unwritable(string $what): mixed
{
    throw new Refused("the result cannot be written: $what", INTERNAL_ERROR);
}

/** Returns an array with its members as they are written. A map that looks like a tag gets one `$` more. */
function members_to_wire(array $members, int $depth): array
{
    if ($depth > DEEPEST) {
        unwritable('it contains itself, or is nested deeper than ' . DEEPEST);
    }
    foreach ($members as $key => $item) {
        if (is_string($key) && !preg_match('//u', $key)) {
            unwritable('a key that is no UTF-8');
        }
        if (!is_int($item)) {
            $members[$key] = to_wire($item, $depth);
        }
    }
    $key = array_key_first($members);
    return is_string($key) && count($members) === 1 && str_starts_with($key, '$')
        ? ['$' . $key => $members[$key]] : $members;
}

/** Returns an object as it is written. */
function object_to_wire(object $value, int $depth): mixed
{
    if ($value instanceof \Closure) {
        unwritable('a function');
    }
    if ($value instanceof \DateTimeInterface) {
        return ['$date' => date_to_wire($value)];
    }
    if ($value instanceof Octets) {
        return ['$bytes' => base64_encode($value->octets)];
    }
    if ($value instanceof \UnitEnum) {
        return $value->value ?? $value->name;
    }
    if ($value instanceof \JsonSerializable && ($plain = $value->jsonSerialize()) !== $value) {
        return $depth > DEEPEST ? unwritable('it has no end') : to_wire($plain, $depth);
    }
    if ($value instanceof \Traversable) {
        return members_to_wire(collected($value), $depth);
    }
    // Called from outside of the class, so it has the public ones alone.
    $members = get_object_vars($value);
    if ($members === [] && $value instanceof \Stringable) {
        return to_wire((string) $value, $depth);
    }
    if ($members === [] && !$value instanceof \stdClass && (new \ReflectionClass($value))->isInternal()) {
        unwritable('an object of class ' . get_class($value));
    }
    return (object) members_to_wire($members, $depth);
}

/** A date has no zone on the wire: it is one of the default zone, as those that come in are. */
function date_to_wire(\DateTimeInterface $date): string
{
    $local = \DateTimeImmutable::createFromInterface($date)
        ->setTimezone(new \DateTimeZone(date_default_timezone_get()));
    return rtrim(rtrim($local->format('Y-m-d\TH:i:s.u'), '0'), '.');
}

/** Returns what an iterator or generator yields: a list, or a map if it has keys that are no numbers. */
function collected(\Traversable $source): array
{
    $list = $map = [];
    $keyed = false;
    foreach ($source as $key => $item) {
        if (count($list) === LONGEST) {
            unwritable('more than ' . LONGEST . ' items');
        }
        $list[] = $item;
        if ($keyed = $keyed || is_string($key)) {
            $map = $map ?: array_slice($list, 0, -1);
            $map[is_scalar($key) ? $key : unwritable('a key that is no text')] = $item;
        }
    }
    return $keyed ? $map : $list;
}

// ---------------------------------------------------------------------------------------------------- description

/** Returns what README.md calls a description. */
function description(): array
{
    $codes = [];
    foreach (get_declared_classes() as $name) {
        $class = new \ReflectionClass($name);
        if (is_own($class->getFileName()) && $class->isSubclassOf(\Throwable::class) && ($code = code_of($class))) {
            $codes[$class->getShortName()] = $code;
        }
    }
    $of_script = Session::$script ? ['script' => ['any' => false]] : [];
    return $of_script + [
        'functions' => Session::$script
            ? \Rpcgi\Script\described() : array_map('Rpcgi\Harness\told', array_keys(functions()), functions()),
        'files' => array_values(array_filter(get_included_files(), 'Rpcgi\Harness\is_own')),
        'version' => PHP_VERSION,
        'codes' => (object) $codes,
    ];
}

/** Returns an exception's own code: that of the class, or what its constructor's `$code` is when it is left out. */
function code_of(\ReflectionClass $class): ?int
{
    $code = $class->getDefaultProperties()['code'] ?? 0;
    foreach ($class->getConstructor()->getParameters() as $param) {
        if ($code === 0 && $param->name === 'code') {
            $code = default_told($param)['default'] ?? 0;
        }
    }
    return is_code($code) ? $code : null;
}

/** Returns the object that is meant: a variable of the module, or an object of a class of it. */
function named_object(string $name): object
{
    $name = ltrim($name, '$');
    if (is_object($GLOBALS[$name] ?? null)) {
        return $GLOBALS[$name];
    }
    foreach ([...(class_exists($name) ? [$name] : []), ...get_declared_classes()] as $class) {
        $class = new \ReflectionClass($class);
        if (in_array($name, [$class->name, $class->getShortName()], true) && is_own($class->getFileName())) {
            return instance($class);
        }
    }
    throw new \Error("the module has no object or class $name");
}

/** Returns an object of a class, made without arguments. */
function instance(\ReflectionClass $class): object
{
    $required = $class->getConstructor()?->getNumberOfRequiredParameters();
    return $required
        ? throw new \Error("class $class->name cannot be the module's object: its constructor wants arguments")
        : $class->newInstance();
}

/** @return \ReflectionFunctionAbstract[] what is public, by name, in the order of the source */
function functions(): array
{
    if (is_object(Session::$object)) {
        return methods(Session::$object);
    }
    $found = array_map(fn ($name) => new \ReflectionFunction($name), get_defined_functions()['user']);
    $found = array_filter($found, 'Rpcgi\Harness\is_of_module');
    usort($found, fn ($one, $other) => place($one) <=> place($other));
    // One namespace goes without saying; of several, rpcgi is told the whole names.
    $spaces = array_unique(array_map(fn ($function) => $function->getNamespaceName(), $found));
    $names = array_map(fn ($function) => count($spaces) > 1 ? $function->name : $function->getShortName(), $found);
    return array_combine($names, $found);
}

/** @return \ReflectionMethod[] by name; asks classes only, as an object's properties may do anything */
function methods(object $object): array
{
    $found = (new \ReflectionClass($object))->getMethods(\ReflectionMethod::IS_PUBLIC);
    $found = array_filter($found, fn ($method) => is_own($method->getFileName()) && has_public_name($method));
    usort($found, fn ($one, $other) => place($one) <=> place($other));
    return array_combine(array_map(fn ($method) => $method->name, $found), $found);
}

/** Returns what functions are sorted by: those of the module stand before those of other files. */
function place(\ReflectionFunctionAbstract $function): array
{
    $file = $function->getFileName();
    return [$file !== Session::$file, $file, $function->getStartLine()];
}

/** Whether a function is public, and defined in the module itself. */
function is_of_module(\ReflectionFunction $function): bool
{
    return $function->getFileName() === Session::$file && has_public_name($function);
}

/** Whether a name is not one of those that begin with `_`. */
function has_public_name(\ReflectionFunctionAbstract $function): bool
{
    return !str_starts_with($function->getShortName(), '_');
}

/** Returns the description of a function. */
function told(string $name, \ReflectionFunctionAbstract $function): array
{
    $told = ['name' => $name, 'params' => []];
    if ($doc = $function->getDocComment()) {
        $told['doc'] = $doc;
    }
    if ($function->getFileName() === Session::$file) {
        $told['line'] = $function->getStartLine();
    }
    foreach ($function->getParameters() as $index => $param) {
        if ($param->name === Session::$context) {
            $told['context'] = ['name' => $param->name, 'index' => $index];
            continue;
        }
        $told['params'][] = param_told($param);
        if ($param->isPassedByReference()) {
            $told['notes'][] = "\${$param->name} is taken by reference: the caller does not see what becomes of it";
        }
    }
    if ($function->returnsReference()) {
        $told['notes'][] = 'a reference is returned: the caller gets its value';
    }
    if ($returns = type_told($function->getReturnType())) {
        $told['returns'] = $returns;
    }
    return $told;
}

/** Returns the description of a param. */
function param_told(\ReflectionParameter $param): array
{
    $told = ['name' => $param->name];
    if ($type = type_told($param->getType())) {
        $told['type'] = $type;
    }
    if ($param->isVariadic()) {
        return $told + ['kind' => 'rest'];
    }
    return $told + ['optional' => $param->isOptional()] + default_told($param);
}

/** Returns the `default` of a param, if a wire has a value for it. */
function default_told(\ReflectionParameter $param): array
{
    try {
        // `new` in a default is the module's code, which is not for us to run.
        if (!$param->isDefaultValueAvailable() || preg_match('/ = .*\bnew /', (string) $param)) {
            return [];
        }
        return ['default' => to_wire($param->getDefaultValue())];
    } catch (\Throwable) {
        // A constant that is not there yet, or a value that no wire has.
        return [];
    }
}

/** Returns what README.md calls a type, or null where nothing is said: phpDoc may have more to say then. */
function type_told(?\ReflectionType $type, array $within = []): string|array|null
{
    if ($type instanceof \ReflectionUnionType) {
        $names = array_map(fn ($one) => $one->getName(), $type->getTypes());
        return array_diff($names, ['int', 'float', 'null']) ? null : or_nil('double', $type);
    }
    if (!$type instanceof \ReflectionNamedType) {
        return null;
    }
    $name = $type->getName();
    return match ($name) {
        'int' => or_nil('integer', $type),
        'float' => or_nil('double', $type),
        // Text and octets have one type.
        'string' => or_nil(['type' => 'string', 'or_octets' => true], $type),
        'bool', 'false', 'true' => or_nil('boolean', $type),
        'void', 'never', 'null' => 'nil',
        'stdClass' => or_nil('struct', $type),
        // An array may be a list or a map: that it may be null is all that is known.
        'array', 'iterable', 'object' => $type->allowsNull() ? or_nil('any', $type) : null,
        default => $type->isBuiltin() ? null : or_nil(class_told($name, $within), $type),
    };
}

/** Returns a type with the mark that it may be null, if it may. */
function or_nil(string|array|null $told, \ReflectionType $type): string|array|null
{
    if ($told === null || !$type->allowsNull()) {
        return $told;
    }
    return (is_array($told) ? $told : ['type' => $told]) + ['or_nil' => true];
}

/** Returns the type of a class, or null where nothing is known. */
function class_told(string $class, array $within): string|array|null
{
    if (is_a($class, \DateTimeInterface::class, true)) {
        return 'dateTime.iso8601';
    }
    if (is_a($class, \UnitEnum::class, true)) {
        $values = enum_values($class);
        return ['type' => is_int($values[0] ?? null) ? 'integer' : 'string', 'choices' => $values];
    }
    if (in_array($class, $within, true)) {
        return 'struct';
    }
    if (!$shape = shape($class)) {
        return null;
    }
    $members = [];
    foreach ($shape as $name => $member) {
        $told = ['name' => $name];
        if ($type = type_told($member->getType(), [...$within, $class])) {
            $told['type'] = $type;
        }
        $members[] = $told + ['optional' => may_be_left_out($member)];
    }
    return ['type' => 'struct', 'members' => $members];
}

/** Whether a class can be made without a member. */
function may_be_left_out(\ReflectionParameter|\ReflectionProperty $member): bool
{
    return $member instanceof \ReflectionParameter
        ? $member->isOptional() : $member->hasDefaultValue();
}
