# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The C code of one interface file: a header with types and whatever must be inline, and two source files with the rest.

For each struct S: S_put and S_get move the data section between C and words; S_encode and S_decode a whole message of one segment.
For each interface I: what a client calls (I_call_M, ...), and what a server offers (struct I_service, I_offer). libos/include/atoll/stubs.h
says what they mean.
"""

from model import EnumType, InterfaceType, LINE_WORDS, Member, MethodType, StructType, Unit


class Text:
    """Lines of C."""

    def __init__(self):
        self.lines: list[str] = []

    def __call__(self, *lines: str) -> None:
        self.lines += lines

    def function(self, head: str, *body: str) -> None:
        """With a line between declarations and statements where the body says so by an empty one."""
        self(head, "{", *("\t" + line if line else "" for line in body), "}", "")

    def __str__(self) -> str:
        return "\n".join(self.lines).rstrip("\n") + "\n"


def banner(unit: Unit) -> list[str]:
    return [f"/* Made by libos/stubs/generate.py from {unit.file}: change that. */"]


# ---- Values -----------------------------------------------------------------------------------------------------------

def _literal(bits: int, width: int) -> str:
    return f"UINT{max(width, 8)}_C(0x{bits:x})"


def _to_bits(m: Member) -> str:
    """The member as an unsigned number, without its default."""
    value = f"s->{m.name}"
    if m.role == "cap":
        return f"(uint64_t){value}.tag"
    if m.role == "bulk":
        return f"{value}.place"
    if m.role == "float":
        bits = f"wire_bits_of_{m.c_type}({value})"
    elif m.role == "bool":
        bits = value
    else:
        bits = f"(uint{m.width}_t){value}" if m.signed or m.role == "enum" else value
    bits = bits if m.width == 64 else f"(uint64_t){bits}"
    return f"({bits} ^ {_literal(m.default, 64)})" if m.default else bits


def _from_bits(m: Member) -> str:
    shift = m.offset % 64
    word = f"words[{m.offset // 64}]" + (f" >> {shift}" if shift else "")
    if m.role == "bool":
        return f"({word} & 1) {'=' if m.default else '!'}= 0"
    bits = f"(uint{m.width}_t)({word})" if shift else word if m.width == 64 else f"(uint{m.width}_t){word}"
    if m.default:
        bits = f"({bits} ^ {_literal(m.default, m.width)})"
    if m.role == "float":
        return f"wire_{m.c_type}({bits})"
    return f"({m.c_type}){bits}" if m.role == "enum" or m.signed else bits


def _string(data: bytes) -> str:
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in data) + '"'


# ---- Structs ----------------------------------------------------------------------------------------------------------

def _scalars(s: StructType) -> list[Member]:
    return [m for m in s.members if not m.is_pointer]


def _pointers(s: StructType) -> list[Member]:
    return [m for m in s.members if m.is_pointer]


def enum_type(h: Text, e: EnumType) -> None:
    h(f"/* {e.what} */", f"enum {e.name} {{", *(f"\t{name} = {value}," for name, value in e.values), "};", "")
    if e.errors is not None:
        h("/* As errors: what a method answers, and what its caller gets. */",
          *(f"#define {e.values[value][0]}_ERROR STUB_ERROR({value})" for value, _ in e.errors),
          f"const char *{e.name}_sentence(err_t e);", "")


def enum_source(c: Text, e: EnumType) -> None:
    if e.errors is None:
        return
    c.function(f"const char *{e.name}_sentence(err_t e)", "switch (e.number) {",
               *(line for value, sentence in e.errors
                 for line in (f"case STUB_ERROR_BASE + {value}:", f"\treturn {_string(sentence.encode())};")),
               "default:", "\treturn err_sentence(e);", "}")


def struct_type(h: Text, s: StructType) -> None:
    if not s.members:
        return
    h(f"/* {s.what} */", f"struct {s.name} {{", *(f"\t{m.c_type} {m.name};" for m in s.members), "};", "")
    if _scalars(s):
        _put(h, s)
        _get(h, s)
    h(f"MUST_USE size_t {s.name}_encode(uint64_t *words, size_t room, const struct {s.name} *s);",
      f"MUST_USE enum wire_fault {s.name}_decode(const uint64_t *words, size_t count, struct {s.name} *s);", "")


def _put(h: Text, s: StructType) -> None:
    body = []
    for word in range(s.data_words):
        parts = [(m.offset % 64, _to_bits(m)) for m in _scalars(s) if m.offset // 64 == word]
        body.append(f"words[{word}] = " + (" | ".join(f"{bits} << {shift}" if shift else bits for shift, bits in sorted(parts)) or "0") + ";")
    h.function(f"static inline void {s.name}_put(uint64_t *words, const struct {s.name} *s)", *body)


def _get(h: Text, s: StructType) -> None:
    body = []
    for m in _scalars(s):
        if m.role == "cap":
            body.append(f"s->{m.name} = (struct stub_cap){{.tag = {_from_bits(m)}}};")
        elif m.role == "bulk":
            body.append(f"s->{m.name} = (struct stub_bulk){{.place = {_from_bits(m)}}};")
        else:
            body.append(f"s->{m.name} = {_from_bits(m)};")
    h.function(f"static inline void {s.name}_get(const uint64_t *words, struct {s.name} *s)", *body)


def struct_source(c: Text, s: StructType) -> None:
    if not s.members:
        return
    _write(c, s)
    _read(c, s)
    c.function(f"size_t {s.name}_encode(uint64_t *words, size_t room, const struct {s.name} *s)",
               "struct wire_builder b;", "uint32_t at;", "",
               f"if (!wire_build_root(&b, words, room, {s.data_words}, {s.pointers}, &at))", "\treturn 0;",
               f"write_{s.name}(&b, at, s);", "return b.full ? 0 : b.used;")
    c.function(f"enum wire_fault {s.name}_decode(const uint64_t *words, size_t count, struct {s.name} *s)",
               "struct wire_reader r;", "const struct wire_struct root = wire_read_root(&r, words, count);", "",
               f"read_{s.name}(&r, &root, s);", "return r.fault;")


def _write(c: Text, s: StructType) -> None:
    body = []
    if any(m.role == "struct" for m in s.members):
        body += ["uint32_t inner;", ""]
    if _scalars(s):
        body.append(f"{s.name}_put(b->words + at, s);")
    for m in _pointers(s):
        pointer = f"at + {s.data_words + m.offset}"
        if m.role == "struct":
            body += [f"if (wire_build_struct(b, {pointer}, {m.struct.data_words}, {m.struct.pointers}, &inner))",
                     f"\twrite_{m.struct.name}(b, inner, &s->{m.name});"]
        elif m.role == "list":
            body.append(f"wire_build_list(b, {pointer}, {m.list_size}, s->{m.name}.at, s->{m.name}.count);")
        else:
            body.append(f"wire_build_{m.role}(b, {pointer}, s->{m.name});")
    c.function(f"static void write_{s.name}(struct wire_builder *b, uint32_t at, const struct {s.name} *s)", *body)


def _read(c: Text, s: StructType) -> None:
    body = []
    if _scalars(s):
        body.append(f"uint64_t words[{s.data_words}];")
    if any(m.role == "struct" for m in s.members):
        body.append("struct wire_struct inner;")
    if body:
        body.append("")
    if _scalars(s):
        body += [f"wire_read_words(r, at, words, {s.data_words});", f"{s.name}_get(words, s);"]
    for m in _pointers(s):
        if m.role == "struct":
            body += [f"inner = wire_read_struct(r, at, {m.offset});", f"read_{m.struct.name}(r, &inner, &s->{m.name});"]
        elif m.role == "list":
            body.append(f"s->{m.name}.at = wire_read_list(r, at, {m.offset}, {m.list_size}, &s->{m.name}.count);")
        else:
            body.append(f"s->{m.name} = wire_read_{m.role}(r, at, {m.offset});")
            if m.text:
                body += [f"if (s->{m.name}.at == NULL)",
                         f"\ts->{m.name} = (struct stub_text){{{_string(m.text)}, {len(m.text)}}};"]
    c.function(f"static void read_{s.name}(struct wire_reader *r, const struct wire_struct *at, struct {s.name} *s)", *body)


# ---- Methods: what both sides know ------------------------------------------------------------------------------------

def _upper(i: InterfaceType, m: MethodType) -> str:
    return f"{i.name}_{m.name}".upper()


def _payload(s: StructType) -> str:
    """Words of a call's or reply's payload, if every one has as many."""
    return "STUB_ANY_WORDS" if s.is_flat else str(s.data_words)


KINDS = {"call": "STUB_CALL", "oneway": "STUB_ONEWAY", "stream": "STUB_OPEN", "upstream": "STUB_ITEM"}


def headers(h: Text, i: InterfaceType) -> None:
    name = i.name.upper()
    h(f"#define {name}_INTERFACE UINT64_C(0x{i.id:016x})", f"#define {name}_VERSION   {i.version}",
      f"#define {name}_TAG       0x{i.tag:02x}", "", "/* The header of a call, and of its reply (struct stub_header). */")
    for m in i.methods:
        reply = "STUB_STREAM_ITEM" if m.kind == "stream" else "STUB_REPLY"
        h(f"#define {_upper(i, m)}_CALL STUB_HEADER({name}_TAG, {name}_VERSION, {KINDS[m.kind]}, {m.ordinal}, {_payload(m.params)})",
          f"#define {_upper(i, m)}_REPLY STUB_HEADER({name}_TAG, {name}_VERSION, {reply}, {m.ordinal}, {_payload(m.results)})")
    h("")


# ---- The client's side ------------------------------------------------------------------------------------------------

def _arguments(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _params(m: MethodType) -> str:
    return f"const struct {m.params.name} *params" if m.params.members else ""


def _results(m: MethodType) -> str:
    return f"struct {m.results.name} *results" if m.results.members else ""


def _message(m: MethodType) -> str:
    return "struct stub_message *message" if m.results.is_flat else ""


def client(h: Text, c: Text, i: InterfaceType) -> None:
    h(f"/* A client of {i.what}. */", f"struct {i.name} {{", "\tstruct stub_client client;", "};", "",
      f"MUST_USE static inline err_t {i.name}_open(const char *name, struct {i.name} *out)", "{",
      f"\treturn stub_open(name, {i.name.upper()}_INTERFACE, STUB_HEADER({i.name.upper()}_TAG, {i.name.upper()}_VERSION, 0, 0, 0), &out->client);", "}",
      f"static inline void {i.name}_close(struct {i.name} *c)", "{", "\tstub_close(&c->client);", "}", "")
    if any(m.kind == "upstream" for m in i.methods):
        h(f"MUST_USE static inline err_t {i.name}_finish(struct {i.name} *c, uint64_t deadline)", "{",
          "\treturn stub_finish(&c->client, deadline);", "}", "")
    for m in i.methods:
        h(f"/* {m.what} @{m.ordinal} */")
        if m.kind == "call":
            _begin_and_end(h, c, i, m)
            _call(h, c, i, m)
        elif m.kind == "stream":
            _open_and_next(h, c, i, m)
        else:
            _send(h, c, i, m)


def _prepare(m: MethodType, words: str) -> tuple[list[str], list[str]]:
    """Declarations and statements that put the parameters into `words`, as many of them as `count` says. May set e."""
    s = m.params
    if not s.members:
        return [], []
    if not s.carried and not s.is_flat:
        return [], [f"{s.name}_put({words}, params);"]
    declared, source, done = [], "params", []
    if s.carried:
        declared, source = [f"struct {s.name} carried = *params;"], "&carried"
        for member in s.carried:
            given = f"stub_give(&c->client, &carried.{member.name}, {member.cap[0]}, {member.cap[1]}, {str(member.cap[2]).lower()})" \
                if member.role == "cap" else f"stub_bulk_name(&c->client, &carried.{member.name})"
            done += ["if (is_ok(e))", f"\te = {given};"]
        done += ["if (is_err(e))", "\treturn e;"]
    if s.is_flat:
        done += [f"count = {s.name}_encode({words}, STUB_MESSAGE_WORDS, {source});", "if (count == 0)", "\treturn ERR(LIMIT);"]
    else:
        done += [f"{s.name}_put({words}, {source});"]
    return declared, done


def _sized(i: InterfaceType, m: MethodType) -> str:
    """The header of a call, with the number of words if that is not always the same."""
    return f"STUB_SIZED({_upper(i, m)}_CALL, count)" if m.params.is_flat else f"{_upper(i, m)}_CALL"


def _fill(m: MethodType) -> tuple[list[str], list[str]]:
    """Declarations and statements: the words with the parameters in them."""
    declared, done = _prepare(m, "words + 1")
    start = ["err_t e = OK;"]
    if m.params.members:
        start.append("uint64_t words[1 + STUB_MESSAGE_WORDS];" if m.params.is_flat else f"uint64_t words[1 + {m.params.data_words}];")
    if m.params.is_flat:
        start.append("size_t count;")
    return start + declared, done


def _words(m: MethodType) -> str:
    return "words" if m.params.members else "NULL"


def _begin_and_end(h: Text, c: Text, i: InterfaceType, m: MethodType) -> None:
    ticket = f"struct {i.name}_{m.name}_ticket"
    begin = f"err_t {i.name}_begin_{m.name}({_arguments(f'struct {i.name} *c', _params(m), _message(m), f'{ticket} *ticket', 'uint64_t deadline')})"
    end = f"err_t {i.name}_end_{m.name}({_arguments(f'{ticket} *ticket', _results(m), 'uint64_t deadline')})"
    h(f"{ticket} {{", "\tstruct stub_ticket ticket;", "};", f"MUST_USE {begin};", f"MUST_USE {end};")
    declared, done = _fill(m)
    c.function(begin, *declared, "", *done, "if (is_ok(e))",
               f"\te = stub_begin(&c->client, {_sized(i, m)}, {_upper(i, m)}_REPLY, {_words(m)}, {'message' if m.results.is_flat else 'NULL'}, "
               "&ticket->ticket, deadline);", "return e;")
    _end(c, end, m)


def _end(c: Text, end: str, m: MethodType) -> None:
    body = ["err_t e = stub_end(&ticket->ticket, deadline);", ""]
    if m.results.members:
        body += ["if (is_err(e))", "\treturn e;"]
        if m.results.is_flat:
            body += [f"if ({m.results.name}_decode(ticket->ticket.at, ticket->ticket.count, results) != WIRE_FAULT_NONE)", "\treturn ERR(FORMAT);"]
        else:
            body += [f"{m.results.name}_get(ticket->ticket.at, results);"]
        for member in m.results.carried:
            what = f"stub_receive(ticket->ticket.client, &results->{member.name}, {member.cap[0]})" if member.role == "cap" else \
                f"stub_bulk_of_client(ticket->ticket.client, &results->{member.name})"
            body += ["if (is_ok(e))", f"\te = {what};"]
    c.function(end, *body, "return e;")


def _call(h: Text, c: Text, i: InterfaceType, m: MethodType) -> None:
    head = f"err_t {i.name}_call_{m.name}({_arguments(f'struct {i.name} *c', _params(m), _results(m), _message(m), 'uint64_t deadline')})"
    in_header = not (m.params.is_flat or m.results.is_flat or m.params.has_caps or m.results.carried)
    if m.idempotent:
        head = _repeat(h, c, i, m, head, in_header)
    if not in_header:
        h(f"MUST_USE {head};", "")
        params, results = "params" if m.params.members else "", "results" if m.results.members else ""
        message = "message" if m.results.is_flat else ""
        c.function(head, f"struct {i.name}_{m.name}_ticket ticket;",
                   f"err_t e = {i.name}_begin_{m.name}({_arguments('c', params, message, '&ticket', 'deadline')});", "",
                   "if (is_ok(e))", f"\te = {i.name}_end_{m.name}({_arguments('&ticket', results, 'deadline')});",
                   "if (err_is(e, ERR_NUMBER_TIMEOUT))", "\tstub_cancel(&ticket.ticket);", "return e;")
        return
    words = "m.word + 1" if m.is_fast else "words + 1"
    declared, done = _prepare(m, words)
    if m.is_fast:
        body = [f"struct endpoint_message m = {{{{{_upper(i, m)}_CALL, 0, 0, 0}}}};", "err_t e = OK;", *declared, "", *done,
                f"e = stub_call_registers(&c->client, {_upper(i, m)}_REPLY, &m, deadline);"]
    else:
        body = [f"uint64_t words[1 + STUB_LINE_WORDS] = {{0}};", "err_t e = OK;", *declared, "", *done,
                f"e = stub_call_line(&c->client, {_upper(i, m)}_CALL, {_upper(i, m)}_REPLY, words, deadline);"]
    if m.results.members:
        body += ["if (__builtin_expect(is_ok(e), 1))", f"\t{m.results.name}_get({words}, results);"]
    h.function(f"MUST_USE static inline {head}", *body, "return e;")


def _repeat(h: Text, c: Text, i: InterfaceType, m: MethodType, head: str, in_header: bool) -> str:
    """The call is a loop around one that is made once, whose head is the answer."""
    once = f"{i.name}_once_{m.name}"
    arguments = _arguments("c", "params" if m.params.members else "", "results" if m.results.members else "",
                           "message" if m.results.is_flat else "", "deadline")
    head_of_one = head.replace(f"{i.name}_call_{m.name}(", f"{once}(", 1)
    h(f"MUST_USE {'static inline ' if in_header else ''}{head_of_one};")
    body = ["err_t e;", "", "do", f"\te = {once}({arguments});", "while (stub_again(&c->client, e, deadline));", "return e;"]
    if in_header:
        h.function(f"MUST_USE static inline {head}", *body)
    else:
        h(f"MUST_USE {head};")
        c.function(head, *body)
    return head_of_one


def _send(h: Text, c: Text, i: InterfaceType, m: MethodType) -> None:
    head = f"err_t {i.name}_send_{m.name}({_arguments(f'struct {i.name} *c', _params(m), 'uint64_t deadline')})"
    h(f"MUST_USE {head};", "")
    declared, done = _fill(m)
    how = "stub_send_item" if m.kind == "upstream" else "stub_send"
    c.function(head, *declared, "", *done, "if (is_ok(e))",
               f"\te = {how}(&c->client, {_sized(i, m)}, {_words(m)}, deadline);", "return e;")


def _open_and_next(h: Text, c: Text, i: InterfaceType, m: MethodType) -> None:
    stream = f"struct {i.name}_{m.name}_stream"
    flat = m.results.is_flat
    credit, words = ("STUB_CREDIT_FLAT", "STUB_MESSAGE_WORDS") if flat else ("STUB_CREDIT", "STUB_LINE_WORDS")
    start = f"err_t {i.name}_open_{m.name}({_arguments(f'struct {i.name} *c', _params(m), f'{stream} *stream', 'uint64_t deadline')})"
    following = f"err_t {i.name}_next_{m.name}({_arguments(f'{stream} *stream', _results(m), 'uint64_t deadline')})"
    h(f"{stream} {{", "\tstruct stub_stream stream;", f"\tstruct stub_item item[{credit}];", f"\tuint64_t words[{credit}][{words}];", "};",
      f"MUST_USE {start};", f"MUST_USE {following};",
      f"static inline void {i.name}_close_{m.name}({stream} *stream)", "{", "\tstub_stream_close(&stream->stream);", "}", "")
    declared, done = _fill(m)
    c.function(start, *declared, "", *done,
               f"stream->stream = (struct stub_stream){{.item = stream->item, .words = stream->words[0], .item_words = {words}, .credit = {credit}}};",
               "if (is_ok(e))",
               f"\te = stub_stream_open(&c->client, {_sized(i, m)}, {_upper(i, m)}_REPLY, {_words(m)}, &stream->stream, deadline);", "return e;")
    taken = f"{m.results.name}_decode(words, count, results) == WIRE_FAULT_NONE ? OK : ERR(FORMAT)" if flat else ""
    body = ["const uint64_t *words;", "size_t count;", "err_t e = stub_stream_next(&stream->stream, &words, &count, deadline);", "",
            "if (is_err(e))", "\treturn e;"]
    body += [f"return {taken};"] if flat else [f"{m.results.name}_get(words, results);", "return OK;"]
    c.function(following, *body)


# ---- The server's side ------------------------------------------------------------------------------------------------

def server(h: Text, c: Text, i: InterfaceType) -> None:
    _service(h, i)
    _answer(h, i)
    for m in i.methods:
        _serve(c, i, m)
        if m.kind == "call":
            _reply(h, c, i, m)
    name = i.name.upper()
    c.function(f"__attribute__((hot)) static enum ipc_outcome {i.name}_lines(void *context, struct ipc_connection *c)", "(void)context;",
               f"return session_lines(c, {i.name}_answer);")
    c(f"static const struct stub_method {i.name}_methods[] = {{",
      *(f"\t[{m.ordinal}] = {{\"{m.what}\", {_upper(i, m)}_CALL, {_upper(i, m)}_REPLY, serve_{i.name}_{m.name}, "
        f"{f'next_{i.name}_{m.name}' if m.kind == 'stream' else 'NULL'}}}," for m in i.methods), "};", "",
      f"const struct stub_interface {i.name}_interface = {{", f"\t\"{i.what}\", {name}_INTERFACE, "
      f"STUB_HEADER({name}_TAG, {name}_VERSION, 0, 0, 0), {len(i.methods)}, {i.name}_methods, {i.name}_answer, {i.name}_lines,", "};", "")
    functions = [m.name for m in i.methods] + [f"{m.name}_next" for m in i.methods if m.kind == "stream"]
    c.function(f"err_t {i.name}_offer(const char *name, const struct {i.name}_service *service)",
               f"if ({' || '.join(f'service->{f} == NULL' for f in functions)})", "\treturn ERR(ARGUMENT);",
               f"return stub_offer(name, &{i.name}_interface, service, &service->events);")


def _handler(m: MethodType, pointer: str) -> list[str]:
    constant = f"const struct {m.params.name} *params" if m.params.members else ""
    if m.kind == "stream":
        return [f"err_t ({pointer}{m.name})({_arguments('void *context', 'struct stub_call *call', constant, 'struct stub_source *source')});",
                f"err_t ({pointer}{m.name}_next)(void *context, struct stub_source *source, struct {m.results.name} *item);"]
    return [f"err_t ({pointer}{m.name})({_arguments('void *context', 'struct stub_call *call', constant, _results(m))});"]


def _service(h: Text, i: InterfaceType) -> None:
    h(f"/* A server of {i.what}: all functions must be there; `events` may be empty. */", f"struct {i.name}_service {{",
      *("\t" + line for m in i.methods for line in _handler(m, "*")), "\tstruct stub_events events;", "};",
      f"extern const struct stub_interface {i.name}_interface;",
      f"MUST_USE err_t {i.name}_offer(const char *name, const struct {i.name}_service *service);")


def _answer(h: Text, i: InterfaceType) -> None:
    """The fast calls. Inline, for loops around it."""
    cases = []
    for m in i.methods:
        if not m.is_fast:
            continue
        params, results = m.params, m.results
        cases += [f"case {m.ordinal}: {{", *([f"\tstruct {params.name} params;"] if params.members else []),
                  *([f"\tstruct {results.name} results = {{0}};"] if results.members else []), "",
                  f"\tif (__builtin_expect(m->word[0] != {_upper(i, m)}_CALL, 0))", "\t\tbreak;",
                  *([f"\t{params.name}_get(m->word + 1, &params);"] if params.members else [])]
        for member in params.carried:
            cases += [f"\te = stub_bulk_find(&call, &params.{member.name});", "\tif (is_err(e))", "\t\treturn stub_answer_error(m, e);"]
        arguments = _arguments("functions->events.context", "&call", "&params" if params.members else "", "&results" if results.members else "")
        cases += [f"\te = functions->{m.name}({arguments});"]
        for member in results.carried:
            cases += ["\tif (is_ok(e))", f"\t\te = stub_bulk_answer(&call, &results.{member.name});"]
        cases += ["\tif (__builtin_expect(is_err(e), 0))", "\t\treturn stub_answer_error(m, e);",
                  *([f"\t{results.name}_put(m->word + 1, &results);"] if results.members else []),
                  f"\tm->word[0] = {_upper(i, m)}_REPLY;", "\treturn STUB_ANSWERED;", "}"]
    head = f"static inline enum stub_outcome {i.name}_answer(const void *service, struct stub_session *session, uint64_t token, uint16_t number, " \
           "struct endpoint_message *m)"
    if cases:
        h.function(head, f"const struct {i.name}_service *functions = service;",
                   "struct stub_call call = {.session = session, .header = m->word[0] | STUB_NUMBER(number), "
                   ".token = token};", "err_t e;", "",
                   "switch (stub_method_of(m->word[0])) {", *cases, "}", "return STUB_ODD;")
    else:
        h.function(head, "(void)service, (void)session, (void)token, (void)number, (void)m;", "return STUB_ODD;")
    h.function(f"static inline err_t {i.name}_serve(const char *name, const struct {i.name}_service *service)",
               f"err_t e = {i.name}_offer(name, service);", "", "if (is_ok(e))", f"\te = stub_serve(name, service, {i.name}_answer);", "return e;")


def _decode(m: MethodType) -> list[str]:
    s = m.params
    if not s.members:
        return []
    done = [f"if ({s.name}_decode(call->message, stub_words_of(call->header), &params) != WIRE_FAULT_NONE)", "\treturn stub_malformed();"] \
        if s.is_flat else [f"{s.name}_get(call->message, &params);"]
    for number, member in enumerate(s.carried):
        done += [f"e = stub_take(call, &params.{member.name}, {member.cap[0]});" if member.role == "cap" else
                 f"e = stub_bulk_find(call, &params.{member.name});", "if (is_err(e))"]
        taken = [f"stub_drop(&params.{earlier.name});" for earlier in s.carried[:number] if earlier.role == "cap"]
        done += ["\treturn e;"] if not taken else [*("\t" + line for line in ["{", *taken, "return e;", "}"])]
    return done


def _encode(m: MethodType, source: str = "results", out: str = "out", count: str = "*count") -> list[str]:
    s = m.results
    if not s.members:
        return ["(void)out;", "(void)count;"]
    done = []
    for member in s.carried:
        what = f"stub_answer_cap(call, &{source}.{member.name}, {member.cap[0]}, {member.cap[1]}, {str(member.cap[2]).lower()})" \
            if member.role == "cap" else f"stub_bulk_answer(call, &{source}.{member.name})"
        done += ["if (is_ok(e))", f"\te = {what};"]
    if s.is_flat:
        return done + ["if (is_ok(e)) {", f"\t{count} = (uint32_t){s.name}_encode({out}, STUB_MESSAGE_WORDS, &{source});",
                       f"\tif ({count} == 0)", "\t\te = ERR(LIMIT);", "}"]
    return done + [f"(void){count.lstrip('*')};", "if (__builtin_expect(is_ok(e), 1))", f"\t{s.name}_put({out}, &{source});"]


SERVE_ARGUMENTS = "const void *service, struct stub_call *call, struct stub_source *source, uint64_t *out, uint32_t *count"


def _serve(c: Text, i: InterfaceType, m: MethodType) -> None:
    body = [f"const struct {i.name}_service *functions = service;"]
    if m.params.members:
        body.append(f"struct {m.params.name} params;")
    streams = m.kind == "stream"
    if m.results.members and not streams:
        body.append(f"struct {m.results.name} results = {{0}};")
    body += ["err_t e;", "", *_decode(m)]
    arguments = _arguments("functions->events.context", "call", "&params" if m.params.members else "",
                           "source" if streams else "&results" if m.results.members else "")
    body += [f"e = functions->{m.name}({arguments});", *(["(void)out;", "(void)count;"] if streams else ["(void)source;", *_encode(m)]), "return e;"]
    c.function(f"static err_t serve_{i.name}_{m.name}({SERVE_ARGUMENTS})", *body)
    if streams:
        _next(c, i, m)


def _next(c: Text, i: InterfaceType, m: MethodType) -> None:
    c.function(f"static err_t next_{i.name}_{m.name}({SERVE_ARGUMENTS})",
               f"const struct {i.name}_service *functions = service;", f"struct {m.results.name} results = {{0}};",
               f"err_t e = functions->{m.name}_next(functions->events.context, source, &results);", "", "(void)call;", *_encode(m), "return e;")


def _reply(h: Text, c: Text, i: InterfaceType, m: MethodType) -> None:
    """The answer to a call that its handler has put off."""
    results = f"const struct {m.results.name} *results" if m.results.members else ""
    head = f"err_t {i.name}_reply_{m.name}({_arguments('struct stub_later later', results)})"
    h(f"MUST_USE {head};")
    body = []
    if m.results.members:
        body += [f"struct {m.results.name} carried = *results;"]
    body += [f"uint64_t out[1 + {'STUB_MESSAGE_WORDS' if m.results.is_flat else LINE_WORDS}] = {{0}};", "struct stub_call put_off;",
             "struct stub_call *call = &put_off;", "uint32_t count = 0;", "err_t e = stub_later_take(later, call);", "", "if (is_err(e))",
             "\treturn e;"]
    body += _encode(m, "carried", "out + 1", "count") if m.results.members else []
    c.function(head, *body, f"return stub_later_answer(call, {_upper(i, m)}_REPLY, out, count, e);")


# ---- All --------------------------------------------------------------------------------------------------------------

def generate(unit: Unit, header_name: str) -> tuple[str, str, str]:
    """The header, how messages are made and read, which is pure, and what calls and serves."""
    h, wire, calls = Text(), Text(), Text()
    h(*banner(unit), "#pragma once", "", "#include <atoll/stubs.h>", "")
    wire(*banner(unit), "", f'#include "{header_name}"', "")
    calls(*banner(unit), "", f'#include "{header_name}"', "", '#include "libos/stubs/lines.h"', "")
    for e in unit.enums:
        enum_type(h, e)
        enum_source(wire, e)
    for s in unit.structs:
        struct_type(h, s)
        struct_source(wire, s)
    for i in unit.interfaces:
        headers(h, i)
        client(h, calls, i)
        server(h, calls, i)
        h("")
    return str(h), str(wire), str(calls)
