<?php

/*
 * The stand-in for PHP's xmlrpc extension and for phpxmlrpc's server: programs that use them run as they are.
 *
 * The harness evaluates it before the program, where the file is a script.
 */

namespace Rpcgi\Script {
    use Rpcgi\Harness\Octets;
    use Rpcgi\Harness\Refused;
    use Rpcgi\Harness\Session;

    /** Says that a script serves no such name. */
    final class Unknown extends \Exception
    {
    }

    /** A fault that a function has returned. */
    final class Fault extends \Exception
    {
    }

    /** What a program has registered. */
    abstract class Service
    {
        /** @return array<string, array{callable, array, ?string}> functions, their signatures and help, by names */
        abstract public function registered(): array;

        /** Calls a function in the library's own way. */
        abstract public function run(callable $function, string $name, array $arguments): mixed;

        /** Returns what a date, as 20261125T10:30:00, is to functions; and what octets are. */
        abstract public function date(string $compact): mixed;

        abstract public function octets(string $octets): mixed;
    }

    /** The service that the program has asked to serve. */
    final class Program
    {
        public static ?Service $service = null;
    }

    /** Answers calls by a service of the program's, until there are no more. */
    function serve(Service $service): void
    {
        if (Program::$service !== null) {
            exit(0);
        }
        refuse_guards(new \ReflectionClass($service));
        Program::$service = $service;
        \Rpcgi\Harness\converse();
    }

    /** Refuses a server with methods of the program's own that may decide who calls: none is left out silently. */
    function refuse_guards(\ReflectionClass $class): void
    {
        $guarding = ['execute', 'parseRequest', 'parseRequestHeaders', 'verifySignature'];
        foreach ($guarding as $name) {
            if ($class->hasMethod($name)) {
                give_up("the server has a `$name` of its own, which rpcgi does not run. If it decides who may call, let "
                    . 'the web server do that; then take it out');
            }
        }
    }

    /** Ends with a sentence on what cannot be done. */
    function give_up(string $sentence): never
    {
        \Rpcgi\Harness\answer(['broken' => $sentence]);
        exit(1);
    }

    /** Prepares what programs look at. */
    function prepare(string $file): void
    {
        $of_call = ['REQUEST_METHOD' => 'POST', 'GATEWAY_INTERFACE' => 'CGI/1.1', 'CONTENT_TYPE' => 'text/xml'];
        foreach ($of_call as $name => $value) {
            putenv("$name=$value");
            $_SERVER[$name] = $_ENV[$name] = $value;
        }
        $_SERVER['SCRIPT_FILENAME'] = $_SERVER['PHP_SELF'] = $_SERVER['argv'][0] = $file;
        $_SERVER['argc'] = count($_SERVER['argv'] = [$file]);
        $GLOBALS['HTTP_RAW_POST_DATA'] = '<methodCall/>';
        // Last, so that the library itself comes first where it is there.
        spl_autoload_register('PhpXmlRpc\rpcgi_load');
    }

    /** Says that the program has come to its end without serving. */
    function check_served(): void
    {
        if (Program::$service === null) {
            give_up('the script has ended without serving: it never called xmlrpc_server_call_method() or service(). '
                . 'If it answers requests by itself, as = "module" takes its functions');
        }
    }

    /** Calls what a name stands for. */
    function call(string $name, array $arguments): mixed
    {
        $service = Program::$service;
        [$function, $signatures] = $service->registered()[$name] ?? throw new Unknown($name);
        if ($signatures && !array_filter($signatures, fn ($types) => fits($types, $arguments))) {
            throw new Refused('the params are not those of its signature', \Rpcgi\Harness\INVALID_PARAMS);
        }
        $arguments = array_map(fn ($argument) => received($argument, $service), $arguments);
        return returned($service->run($function, $name, $arguments));
    }

    /** Whether arguments are of the types of a signature, which begins with that of the result. */
    function fits(array $types, array $arguments): bool
    {
        $params = array_slice($types, 1);
        $fit = fn ($type, $argument) => match ($type) {
            'int', 'i4', 'i8' => is_int($argument),
            'double' => is_float($argument),
            'boolean' => is_bool($argument),
            'string' => is_string($argument),
            'array' => is_array($argument) && array_is_list($argument),
            'struct' => is_array($argument) && ($argument === [] || !array_is_list($argument)),
            'dateTime.iso8601' => $argument instanceof \DateTimeInterface,
            'base64' => $argument instanceof Octets,
            default => true,
        };
        return count($params) === count($arguments) && !in_array(false, array_map($fit, $params, $arguments), true);
    }

    /** Returns an argument as the library hands it to functions. */
    function received(mixed $value, Service $service): mixed
    {
        return match (true) {
            is_array($value) => array_map(fn ($item) => received($item, $service), $value),
            $value instanceof \DateTimeInterface => $service->date($value->format('Ymd\TH:i:s')),
            $value instanceof Octets => $service->octets($value->octets),
            default => $value,
        };
    }

    /** Returns a result without the library's own objects. */
    function returned(mixed $value): mixed
    {
        if (is_array($value)) {
            $is_fault = count($value) === 2 && isset($value['faultCode'], $value['faultString']);
            return $is_fault
                ? throw new Fault((string) $value['faultString'], (int) $value['faultCode'])
                : array_map(fn ($item) => is_array($item) ? inner($item) : returned($item), $value);
        }
        if (!is_object($value)) {
            return $value;
        }
        if (method_exists($value, 'faultCode')) {
            return $value->faultCode()
                ? throw new Fault($value->faultString(), $value->faultCode()) : returned($value->value());
        }
        if (method_exists($value, 'scalarTyp')) {
            return of_value($value);
        }
        return isset($value->xmlrpc_type) ? of_type($value->xmlrpc_type, $value->scalar) : $value;
    }

    /** Returns what is inside a result, where nothing is a fault. */
    function inner(array $value): array
    {
        return array_map(fn ($item) => is_array($item) ? inner($item) : returned($item), $value);
    }

    /** Returns a value of phpxmlrpc's class. */
    function of_value(object $value): mixed
    {
        if ($value->kindOf() === 'scalar') {
            return of_type($value->scalarTyp(), $value->scalarVal());
        }
        $items = [];
        foreach ($value as $key => $item) {
            $items[$key] = returned($item);
        }
        return $value->kindOf() === 'struct' ? (object) $items : $items;
    }

    /** Returns a scalar of a type. */
    function of_type(string $type, mixed $scalar): mixed
    {
        return match ($type) {
            'int', 'i4', 'i8' => (int) $scalar,
            'double' => (float) $scalar,
            'boolean' => (bool) $scalar,
            'base64' => new Octets((string) $scalar),
            'datetime', 'dateTime.iso8601' => $scalar instanceof \DateTimeInterface
                ? $scalar : new \DateTimeImmutable((string) $scalar),
            'null' => null,
            default => (string) $scalar,
        };
    }

    /** Returns the descriptions of what it serves, in the order in which it has been registered. */
    function described(): array
    {
        $described = [];
        foreach (Program::$service->registered() as $name => [$function, $signatures, $help]) {
            $reflected = new \ReflectionFunction(\Closure::fromCallable($function));
            $told = ['name' => (string) $name, 'listed' => true];
            $told += ['doc' => $help ?? $reflected->getDocComment() ?: ''];
            if ($reflected->getFileName() === Session::$file) {
                $told['line'] = $reflected->getStartLine();
            }
            if (count($signatures) === 1) {
                $types = reset($signatures);
                $names = array_map(fn ($param) => $param->name, $reflected->getParameters());
                $told['returns'] = type_told(array_shift($types));
                $told['params'] = [];
                foreach (array_values($types) as $index => $type) {
                    $told['params'][] = ['name' => $names[$index] ?? 'p' . $index + 1, 'type' => type_told($type)];
                }
            }
            $described[] = $told;
        }
        return $described;
    }

    /** Returns the name of a type as rpcgi knows it. */
    function type_told(string $type): string
    {
        $known = ['int', 'boolean', 'double', 'string', 'array', 'struct', 'dateTime.iso8601', 'base64'];
        return match (true) {
            in_array($type, $known, true) => $type,
            $type === 'i4' => 'int',
            $type === 'i8' => 'integer',
            default => 'any',
        };
    }

    /** The extension's server. */
    final class ExtensionServer extends Service
    {
        public array $functions = [];
        public mixed $user_data = null;

        public function registered(): array
        {
            return array_map(fn ($function) => [$function, [], null], array_filter($this->functions, 'is_callable'));
        }

        public function run(callable $function, string $name, array $arguments): mixed
        {
            return $function($name, $arguments, $this->user_data);
        }

        public function date(string $compact): mixed
        {
            return typed($compact, 'datetime');
        }

        public function octets(string $octets): mixed
        {
            return typed($octets, 'base64');
        }
    }

    /** Returns a value of a type, as the extension has those that PHP does not know. */
    function typed(string $scalar, string $type): object
    {
        $typed = (object) ['scalar' => $scalar, 'xmlrpc_type' => $type];
        if ($type === 'datetime') {
            $typed->timestamp = (new \DateTimeImmutable($scalar))->getTimestamp();
        }
        return $typed;
    }
}

namespace PhpXmlRpc {
    use Rpcgi\Script;

    /** phpxmlrpc's server, with functions that take PHP's own values. */
    class Server extends Script\Service
    {
        public const OPT_FUNCTIONS_PARAMETERS_TYPE = 'functions_parameters_type';

        public $functions_parameters_type = 'xmlrpcvals';
        public $allow_system_funcs = true;
        public $compress_response = false;
        public $exception_handling = 0;
        public $response_charset_encoding = '';
        public $phpvals_encoding_options = [];
        public $debug = 1;
        protected $dmap = [];

        public function __construct($dispatchMap = null, $serviceNow = true)
        {
            $this->dmap = $dispatchMap ?? [];
            if ($dispatchMap && $serviceNow) {
                $this->service();
            }
        }

        public function setDebug($level)
        {
            $this->debug = $level;
            return $this;
        }

        public function setOption($name, $value)
        {
            $this->$name = $value;
            return $this;
        }

        public function setOptions($options)
        {
            foreach ($options as $name => $value) {
                $this->setOption($name, $value);
            }
            return $this;
        }

        public function addToMap($name, $function, $sig = null, $doc = false, $sigDoc = false, $type = false)
        {
            $this->dmap[$name] = array_filter(['function' => $function, 'signature' => $sig, 'docstring' => $doc]);
        }

        public function add_to_map($name, $function, $sig = null, $doc = false, $sigDoc = false)
        {
            $this->addToMap($name, $function, $sig, $doc, $sigDoc);
        }

        public function service($data = null, $returnPayload = false)
        {
            if ($data !== null) {
                Script\give_up('service() gets a request that the script has read by itself, and rpcgi has read it: '
                    . 'call it without one');
            }
            if ($this->functions_parameters_type !== 'phpvals') {
                Script\give_up("functions take the library's own values, which rpcgi does not have: set "
                    . "functions_parameters_type = 'phpvals', and let them take and return PHP's");
            }
            Script\serve($this);
            return '';
        }

        public function registered(): array
        {
            $registered = [];
            foreach ($this->dmap as $name => $entry) {
                $function = $entry['function'];
                // `Class::method` is a callable as it is.
                if (is_callable($function)) {
                    $doc = $entry['docstring'] ?? null;
                    $registered[$name] = [$function, $entry['signature'] ?? [], $doc ?: null];
                }
            }
            return $registered;
        }

        public function run(callable $function, string $name, array $arguments): mixed
        {
            return $function(...$arguments);
        }

        public function date(string $compact): mixed
        {
            return $compact;
        }

        public function octets(string $octets): mixed
        {
            return $octets;
        }
    }

    class_alias('PhpXmlRpc\Server', 'xmlrpc_server');

    /** Defines what functions return beside PHP's own values, where the library is not there. */
    function rpcgi_load(string $class): void
    {
        if (!in_array($class, ['PhpXmlRpc\Value', 'PhpXmlRpc\Response', 'PhpXmlRpc\PhpXmlRpc', 'xmlrpcval',
            'xmlrpcresp'], true) || class_exists('PhpXmlRpc\Response', false)) {
            return;
        }

        class PhpXmlRpc
        {
            public static $xmlrpcerruser = 800;
            public static $xmlrpc_internalencoding = 'UTF-8';
            public static $xmlrpc_null_extension = false;

            public static function __callStatic($name, $arguments)
            {
                // Settings of what rpcgi does by itself.
            }
        }

        class Response
        {
            public function __construct(protected $val, protected $errno = 0, protected $errstr = '')
            {
            }

            public function faultCode()
            {
                return $this->errno;
            }

            public function faultString()
            {
                return $this->errstr;
            }

            public function value()
            {
                return $this->val;
            }
        }

        class Value implements \IteratorAggregate, \Countable
        {
            public static $xmlrpcI4 = 'i4';
            public static $xmlrpcI8 = 'i8';
            public static $xmlrpcInt = 'int';
            public static $xmlrpcBoolean = 'boolean';
            public static $xmlrpcDouble = 'double';
            public static $xmlrpcString = 'string';
            public static $xmlrpcDateTime = 'dateTime.iso8601';
            public static $xmlrpcBase64 = 'base64';
            public static $xmlrpcArray = 'array';
            public static $xmlrpcStruct = 'struct';
            public static $xmlrpcValue = 'undefined';
            public static $xmlrpcNull = 'null';

            public function __construct(protected $val = '', protected $type = 'string')
            {
            }

            public function kindOf()
            {
                return in_array($this->type, ['array', 'struct'], true) ? $this->type : 'scalar';
            }

            public function scalarTyp()
            {
                return $this->type;
            }

            public function scalarVal()
            {
                return $this->val;
            }

            public function getIterator(): \Iterator
            {
                return new \ArrayIterator((array) $this->val);
            }

            public function count(): int
            {
                return is_countable($this->val) ? count($this->val) : 1;
            }
        }

        class_alias('PhpXmlRpc\Value', 'xmlrpcval');
        class_alias('PhpXmlRpc\Response', 'xmlrpcresp');
    }
}

namespace {
    use Rpcgi\Script;

    function xmlrpc_server_create()
    {
        return new Script\ExtensionServer();
    }

    function xmlrpc_server_register_method($server, $method_name, $function)
    {
        $server->functions[$method_name] = $function;
        return true;
    }

    function xmlrpc_server_register_introspection_callback($server, $function)
    {
        return true;
    }

    function xmlrpc_server_add_introspection_data($server, $desc)
    {
        return 1;
    }

    function xmlrpc_server_call_method($server, $xml, $user_data, $output_options = null)
    {
        $server->user_data = $user_data;
        Script\serve($server);
        return '';
    }

    function xmlrpc_server_destroy($server)
    {
        return true;
    }

    function xmlrpc_set_type(&$value, $type)
    {
        $value = Script\typed((string) $value, $type);
        return true;
    }

    function xmlrpc_get_type($value)
    {
        return match (true) {
            is_object($value) => $value->xmlrpc_type ?? 'struct',
            is_int($value) => 'int',
            is_float($value) => 'double',
            is_bool($value) => 'boolean',
            is_string($value) => 'string',
            is_array($value) => array_is_list($value) ? 'array' : 'struct',
            default => 'none',
        };
    }

    function xmlrpc_is_fault($value)
    {
        return isset($value['faultCode'], $value['faultString']);
    }
}
