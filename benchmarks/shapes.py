"""Twenty workflows of shapes that others write, each with the files that it must make.

They follow Snakemake's tutorial, its documentation and the subjects of its own tests; the tools of
the field are replaced by `sed`, `sort` and the like.
"""

from shape import Shape
from shapes_of_files import SHAPES_OF_FILES

SHAPES_OF_RULES = {
    "tutorial": Shape(
        """
SAMPLES = ["A", "B"]
rule all:
    input: "plots/quals.txt"
rule map:
    input: "data/{sample}.fastq"
    output: temp("mapped/{sample}.bam")
    log: "logs/{sample}.log"
    threads: 2
    shell: "(sed 's/read/mapped/' {input} > {output}) 2> {log}"
rule sort:
    input: "mapped/{sample}.bam"
    output: protected("sorted/{sample}.bam")
    shell: "sort -T . {input} > {output}"
rule index:
    input: "sorted/{sample}.bam"
    output: "sorted/{sample}.bam.bai"
    shell: "wc -l < {input} > {output}"
rule call:
    input: bam=expand("sorted/{s}.bam", s=SAMPLES), bai=expand("sorted/{s}.bam.bai", s=SAMPLES)
    output: "calls/all.vcf"
    params: rate=0.001
    shell: "cat {input.bam} > {output}; echo {params.rate} >> {output}"
rule plot:
    input: "calls/all.vcf"
    output: "plots/quals.txt"
    script: "scripts/plot.py"
""",
        {"plots/quals.txt": "5 lines\n", "sorted/A.bam.bai": "2\n"},
        {
            "scripts/plot.py": "n = len(open(snakemake.input[0]).readlines())\n"
            "print(n, 'lines', file=open(snakemake.output[0], 'w'))\n"
        },
        {"data/A.fastq": "read 2\nread 1\n", "data/B.fastq": "read 4\nread 3\n"},
        ("mapped/A.bam",),
    ),
    "scatter-gather": Shape(
        """
scattergather:
    split=3
rule all:
    input: "gathered.txt"
rule split:
    output: scatter.split("split/{scatteritem}.txt")
    run:
        for i, path in enumerate(output):
            print(i, file=open(path, "w"))
rule work:
    input: "split/{scatteritem}.txt"
    output: "work/{scatteritem}.txt"
    shell: "echo $(( $(cat {input}) * 10 )) > {output}"
rule gather:
    input: gather.split("work/{scatteritem}.txt")
    output: "gathered.txt"
    shell: "cat {input} > {output}"
""",
        {"gathered.txt": "0\n10\n20\n"},
    ),
    "checkpoint": Shape(
        """
rule all:
    input: "all.txt"
checkpoint make:
    output: directory("made")
    shell: "mkdir -p {output}; for i in 1 2 3; do echo $i > {output}/$i.txt; done"
def made(wildcards):
    folder = checkpoints.make.get(**wildcards).output[0]
    return expand("copied/{i}.txt", i=sorted(glob_wildcards(folder + "/{i}.txt").i))
rule copy:
    input: "made"
    output: "copied/{i}.txt"
    shell: "cp {input}/{wildcards.i}.txt {output}"
rule gather:
    input: made
    output: "all.txt"
    shell: "cat {input} > {output}"
""",
        {"all.txt": "1\n2\n3\n"},
    ),
    "checkpoint-opened-twice": Shape(
        """
rule all:
    input: "first.txt", "second.txt"
checkpoint choose:
    output: "choice.txt"
    shell: "echo b a > {output}"
def chosen(wildcards):
    with open(checkpoints.choose.get().output[0]) as file:
        return expand("{x}.part", x=sorted(file.read().split()))
rule part:
    output: "{x}.part"
    shell: "echo {wildcards.x} > {output}"
rule first:
    input: chosen
    output: "first.txt"
    shell: "cat {input} > {output}"
rule second:
    input: chosen
    output: "second.txt"
    shell: "cat {input} | tac > {output}"
""",
        {"first.txt": "a\nb\n", "second.txt": "b\na\n"},
    ),
    "module": Shape(
        """
module other:
    snakefile: "other/Snakefile"
    prefix: "there"
use rule * from other as other_*
use rule make from other as mine with:
    output: "mine.txt"
rule all:
    input: "there/made.txt", "mine.txt"
    default_target: True
""",
        {"there/made.txt": "made\n", "mine.txt": "made\n"},
        {
            "other/Snakefile": 'rule make:\n    output: "made.txt"\n'
            '    shell: "echo made > {output}"\n'
        },
    ),
    "include": Shape(
        """
configfile: "config/config.yaml"
include: "rules/make.smk"
rule all:
    input: f"{config['name']}.txt"
    default_target: True
""",
        {"tooth.txt": "hello tooth\n"},
        {
            "config/config.yaml": "name: tooth\n",
            "rules/make.smk": 'rule make:\n    output: "{n}.txt"\n'
            '    shell: "echo hello {wildcards.n} > {output}"\n',
        },
    ),
    "group": Shape(
        """
rule all:
    input: expand("c/{i}.txt", i=range(3))
rule a:
    output: temp("a/{i}.txt")
    group: "g"
    shell: "echo {wildcards.i} > {output}"
rule b:
    input: "a/{i}.txt"
    output: "b/{i}.txt"
    group: "g"
    shell: "cat {input} {input} > {output}"
rule c:
    input: "b/{i}.txt"
    output: "c/{i}.txt"
    shell: "wc -l < {input} > {output}"
""",
        {"c/0.txt": "2\n", "c/2.txt": "2\n", "b/1.txt": "1\n1\n"},
        gone=("a/0.txt",),
    ),
    "input-functions": Shape(
        """
SOURCES = {"x": ["a", "b"], "y": ["b"]}
rule all:
    input: expand("{k}.sum", k=SOURCES)
def parts(wildcards):
    return {"parts": expand("{p}.part", p=SOURCES[wildcards.k])}
rule part:
    output: "{p}.part"
    shell: "echo {wildcards.p} > {output}"
rule sum:
    input: unpack(parts)
    output: "{k}.sum"
    params: n=lambda wildcards, input: len(input.parts)
    shell: "cat {input.parts} > {output}; echo {params.n} >> {output}"
""",
        {"x.sum": "a\nb\n2\n", "y.sum": "b\n1\n"},
    ),
    "attempts": Shape(
        """
rule all:
    input: expand("{i}.txt", i=range(3))
rule hungry:
    output: "{i}.txt"
    retries: 3
    resources: mem_mb=lambda wildcards, attempt: 100 * attempt
    shell: "echo {resources.mem_mb} > {output}; test {resources.mem_mb} -gt {wildcards.i}50"
""",
        {"0.txt": "100\n", "1.txt": "200\n", "2.txt": "300\n"},
    ),
    "local-rules": Shape(
        """
localrules: all, prepare
rule all:
    input: "done.txt"
rule prepare:
    output: "prepared.txt"
    shell: "echo here > {output}"
rule work:
    input: "prepared.txt"
    output: "done.txt"
    shell: "cat {input} {input} > {output}"
""",
        {"done.txt": "here\nhere\n"},
    ),
    "ruleorder": Shape(
        """
ruleorder: special > general
wildcard_constraints:
    n=r"\\d+"
rule all:
    input: "1.txt", "2.txt"
rule general:
    output: "{n}.txt"
    shell: "echo general > {output}"
rule special:
    output: "2.txt"
    shell: "echo special > {output}"
""",
        {"1.txt": "general\n", "2.txt": "special\n"},
    ),
    "run-directive": Shape(
        """
import json
rule all:
    input: "b.json"
rule a:
    output: "a.json"
    run:
        json.dump({"n": 3}, open(output[0], "w"))
rule b:
    input: "a.json"
    output: "b.json"
    run:
        n = json.load(open(input[0]))["n"]
        with open(output[0], "w") as file:
            json.dump([n] * n, file)
""",
        {"b.json": "[3, 3, 3]"},
    ),
}

SHAPES = SHAPES_OF_RULES | SHAPES_OF_FILES
