/* xmlrpc-c's client against the interop example; the URL is the only argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmlrpc-c/base.h>
#include <xmlrpc-c/client.h>

static xmlrpc_env env;
static const char *url;

static void check(const char *what) {
    if (env.fault_occurred) {
        printf("%s: fault %d: %s\n", what, env.fault_code, env.fault_string);
        exit(1);
    }
}

static void same(const char *what, int holds) {
    if (!holds) {
        printf("%s: not the expected answer\n", what);
        exit(1);
    }
}

#define CALL(method, ...) \
    xmlrpc_value *result = xmlrpc_client_call(&env, url, method, __VA_ARGS__); \
    check(method)

static void add(void) {
    xmlrpc_int32 sum;
    CALL("add", "(ii)", (xmlrpc_int32)2, (xmlrpc_int32)3);
    xmlrpc_decompose_value(&env, result, "i", &sum);
    check("add");
    same("add", sum == 5);
    xmlrpc_DECREF(result);
}

static void beyond_32_bits(void) {
    xmlrpc_int64 times1000;
    CALL("validator1.simpleStructReturnTest", "(i)", (xmlrpc_int32)3000000);
    xmlrpc_decompose_value(&env, result, "{s:I,*}", "times1000", &times1000);
    check("i8");
    same("i8", times1000 == 3000000000LL);
    xmlrpc_DECREF(result);
}

static void echo_string(void) {
    const char *text = "a <b> & \"c\" \xc3\xa9";
    const char *echoed;
    CALL("interopEchoTests.echoString", "(s)", text);
    xmlrpc_decompose_value(&env, result, "s", &echoed);
    check("string");
    same("string", strcmp(text, echoed) == 0);
    xmlrpc_DECREF(result);
}

static void echo_base64(void) {
    const unsigned char *octets;
    size_t len;
    CALL("interopEchoTests.echoBase64", "(6)", "a\0b", (size_t)3);
    xmlrpc_decompose_value(&env, result, "6", &octets, &len);
    check("base64");
    same("base64", len == 3 && memcmp(octets, "a\0b", 3) == 0);
    xmlrpc_DECREF(result);
}

static void echo_nil(void) {
    CALL("interopEchoTests.echoValue", "(n)");
    same("nil", xmlrpc_value_type(result) == XMLRPC_TYPE_NIL);
    xmlrpc_DECREF(result);
}

static void structs(void) {
    xmlrpc_int32 sum, times10, times100, times1000;
    CALL("validator1.easyStructTest", "({s:i,s:i,s:i})", "moe", 1, "larry", 2, "curly", 3);
    xmlrpc_decompose_value(&env, result, "i", &sum);
    check("struct");
    same("struct", sum == 6);
    xmlrpc_DECREF(result);
    result = xmlrpc_client_call(&env, url, "validator1.simpleStructReturnTest", "(i)", (xmlrpc_int32)3);
    check("struct result");
    xmlrpc_decompose_value(&env, result, "{s:i,s:i,s:i,*}", "times10", &times10, "times100", &times100, "times1000", &times1000);
    check("struct result");
    same("struct result", times10 == 30 && times100 == 300 && times1000 == 3000);
    xmlrpc_DECREF(result);
}

static void arrays(void) {
    xmlrpc_bool a, b;
    CALL("examples.invertBooleans", "((bb))", (xmlrpc_bool)1, (xmlrpc_bool)0);
    xmlrpc_decompose_value(&env, result, "(bb)", &a, &b);
    check("array");
    same("array", !a && b);
    xmlrpc_DECREF(result);
}

static void fault(void) {
    xmlrpc_client_call(&env, url, "fault", "()");
    same("fault", env.fault_occurred && env.fault_code == 123);
    same("fault", strstr(env.fault_string, "The fault procedure is faulty.") != NULL);
    xmlrpc_env_clean(&env);
    xmlrpc_env_init(&env);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    url = argv[1];
    xmlrpc_env_init(&env);
    xmlrpc_client_init2(&env, XMLRPC_CLIENT_NO_FLAGS, "rpcgi test", "1", NULL, 0);
    check("client");
    add();
    beyond_32_bits();
    echo_string();
    echo_base64();
    echo_nil();
    structs();
    arrays();
    fault();
    puts("xmlrpc-c: all answers as expected");
    return 0;
}
