"""What is kept of emcc's JavaScript, read as statements that each may make one name."""

import pytest

from builder.script import needed, statements


def split(code):
    """Return (text, name) of each statement."""
    return [(part.text, part.gives) for part in statements(code)]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("function f(a){return{b:a}}", "f"),
        ("async function f(){await 0}", "f"),
        ("class C{static x=1}", "C"),
        ("var f=function(){};", "f"),
        ("var f=async(a,b=(1))=>{a()};", "f"),
        ("var f=x0=>GLctx.clear(x0);", "f"),
        ("var S={a(){f()},b:{}};", "S"),
        ("var k=[1,2];", "k"),
        ("var g=_emscripten_g;", "g"),
        ('f.sig="vi";', "f"),
        ('Module["f"]=f;', "f"),
        ("var a=1,b=2;", None),
        ("var a=f();", None),
        ("var a=(()=>{f()})();", None),
        ("var a={}.b=f;", None),
        ("var a=b=c;", None),
        ('Module["f"]=f();', None),
        ('a.b=c["d"];', None),
        ("const{a,b}=c;", None),
        ("f();", None),
        ("if(a){b}else{c}", None),
        ("try{a()}catch(e){}", None),
        ("for(var i=0;i<2;++i){a}", None),
        ("{a}", None),
    ],
)
def test_a_statement_that_only_makes_a_name(code, name):
    """A name is given where making it is all that a statement can do, and stands by itself."""
    assert split(f"{code}f();") == [(code, name), ("f();", None)]


@pytest.mark.parametrize(
    "value",
    [
        '"};"', "'};'", "`};${`}${{a:1}.a}`}`", "/[/}]};\\/;/g.test(a)", "a/b/c", "(a)/b;",
        "a[0]/b", "typeof/};/", "1/* }; */", '"\\"};"',
    ],
)  # fmt: skip
def test_brackets_in_texts_and_regular_expressions_do_not_count(value):
    """Strings, templates, comments and regular expressions are passed over as one."""
    code = f"function f(){{return {value}}}"
    assert split(f"{code}g();") == [(code, "f"), ("g();", None)]


def test_what_is_named_by_what_is_kept_is_kept():
    """Also over several steps, in the order of the script; the rest goes, with all that it has."""
    code = (
        "var GL={clear(){paint()}};function paint(){}paint.sig=1;function _glClear(){GL.clear()}"
        '_glClear.sig="v";Module["_glClear"]=_glClear;function time(){return now()}time.sig="d";'
        "function now(){}var used=1;start();"
        "var wasmImports={glClear:_glClear,time};use(wasmImports);"
    )
    assert needed(code, {"time"}, {"used"}) == (
        'function time(){return now()}time.sig="d";'
        "function now(){}var used=1;start();var wasmImports={time};use(wasmImports);"
    )
    assert needed(code, {"time", "glClear"}, {"used"}) == code


@pytest.mark.parametrize("code", ["f(]", "f()}", "`${a", "{f()", "`"])
def test_what_is_misread_is_an_error(code):
    """Where brackets do not fit, something was taken for what it is not."""
    with pytest.raises(ValueError, match=r"bracket|template"):
        split(code)
