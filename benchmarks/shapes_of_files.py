"""The shapes that are about kinds of files: temporary, piped, checked, shadowed, touched."""

from shape import Shape

SHAPES_OF_FILES = {
    "ensure": Shape(
        """
rule all:
    input: "full.txt", "again.txt"
rule full:
    output: ensure("full.txt", non_empty=True)
    shell: "echo full > {output}"
rule again:
    output: ensure("again.txt", non_empty=True)
    retries: 1
    resources: n=lambda wildcards, attempt: attempt
    shell: "if [ {resources.n} -gt 1 ]; then echo {resources.n} > {output}; else touch {output}; fi"
""",
        {"full.txt": "full\n", "again.txt": "2\n"},
    ),
    "pipe": Shape(
        """
rule all:
    input: expand("out/{i}.txt", i=[1, 2])
rule produce:
    output: pipe("pipe/{i}")
    shell: "for n in 1 2 3; do echo {wildcards.i}$n; done > {output}"
rule consume:
    input: "pipe/{i}"
    output: "out/{i}.txt"
    shell: "sort -r < {input} > {output}"
""",
        {"out/1.txt": "13\n12\n11\n", "out/2.txt": "23\n22\n21\n"},
    ),
    "service": Shape(
        """
rule all:
    input: "used.txt"
rule serve:
    output: service("served")
    shell: "echo answer > {output}; sleep 300"
rule use:
    input: "served"
    output: "used.txt"
    shell: "cat {input} > {output}"
""",
        {"used.txt": "answer\n"},
    ),
    "temp": Shape(
        """
rule all:
    input: "last.txt"
rule one:
    output: temp("one.txt")
    shell: "echo 1 > {output}"
rule two:
    input: "one.txt"
    output: temp(directory("two"))
    shell: "mkdir {output}; cp {input} {output}/x"
rule last:
    input: "one.txt", "two"
    output: "last.txt"
    shell: "cat {input[0]} {input[1]}/x > {output}"
""",
        {"last.txt": "1\n1\n"},
        gone=("one.txt", "two/x"),
    ),
    "multiext": Shape(
        """
rule all:
    input: multiext("out/x", ".idx", ".dat"), "read.txt"
rule write:
    output: multiext("out/{n}", idx=".idx", dat=".dat")
    shell: "echo i > {output.idx}; echo d > {output.dat}"
rule read:
    input: multiext("out/x", ".idx", ".dat")
    output: "read.txt"
    shell: "cat {input} > {output}"
""",
        {"read.txt": "i\nd\n"},
    ),
    "log-and-benchmark": Shape(
        """
rule all:
    input: "copied.txt"
rule work:
    output: "work.txt"
    log: "logs/work.log"
    benchmark: "bench/work.tsv"
    shell: "echo working > {log}; echo worked > {output}"
rule copy:
    input: "work.txt", "bench/work.tsv"
    output: "copied.txt"
    shell: "head -c 1 {input[1]} > {output}; cat {input[0]} >> {output}"
""",
        {"copied.txt": "sworked\n", "logs/work.log": "working\n"},
    ),
    "shadow": Shape(
        """
rule all:
    input: "out.txt"
rule make:
    output: "in.txt"
    shell: "echo x > {output}"
rule messy:
    input: "in.txt"
    output: "out.txt"
    shadow: "minimal"
    shell: "cp {input} litter.txt; cat litter.txt > {output}"
""",
        {"out.txt": "x\n"},
        gone=("litter.txt",),
    ),
    "touch-and-ancient": Shape(
        """
rule all:
    input: "done"
rule flag:
    output: touch("flag")
rule work:
    input: ancient("flag")
    output: touch("done"), "made.txt"
    shell: "echo made > {output[1]}"
""",
        {"made.txt": "made\n", "done": ""},
    ),
}
