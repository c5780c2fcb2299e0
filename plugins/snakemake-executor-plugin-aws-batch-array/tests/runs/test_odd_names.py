"""Names of files with any sign that S3 and a file system take."""

BUCKET, PREFIX = "tomobatch-data", "results"

ODD = [
    "plain", "with space", "eq=ual", "co:lon", "ünïcode", "dollar$HOME", "semi;colon",
    "star*", "quote'mid", 'dq"mid', "per%cent", "plus+amp&", "back\\slash", "br[ace]", "-dash",
    "tilde~", "a/b/c", "co,mma=1,w=2", "'quoted'", '"both\' of "', "<|>!`",
]  # fmt: skip

ODD_NAMES = """
W = ODD

rule all:
    input: expand("w/{w}.txt", w=W)

rule made:
    output: temp("made/{w}.txt")
    group: "pair"
    shell: "printf '%s' {config[said]:q} > {output:q}"

rule w:
    input: "made/{w}.txt"
    output: "w/{w}.txt"
    group: "pair"
    params: p=lambda wildcards: "p " + wildcards.w + " \\"q\\" 'r' $(echo no) \\n second"
    shell: "(cat {input:q}; printf '%s' {params.p:q}) > {output:q}"
"""


def test_odd_names_make_the_right_files(emulator, new_workflow):
    workflow = new_workflow(ODD_NAMES.replace("ODD", repr(ODD)))
    said = 'it\'s a \\ "word", $HOME; '

    workflow.run("--config", f"said={said}x", "--aws-batch-array-size=2")

    assert set(workflow.names()) == {f"w/{name}.txt" for name in ODD}
    for name in ODD:
        expected = f"{said}xp {name} \"q\" 'r' $(echo no) \n second"
        assert workflow.read(f"w/{name}.txt") == expected
