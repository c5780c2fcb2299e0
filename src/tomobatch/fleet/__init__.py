"""Machines that are hired, work, and are billed: one model of the time and the money of a run.

``figures`` owns every figure that is only known as a range, ``prices`` what things cost,
``machines`` what a run may have, ``stages`` what it has to do, ``weather`` one draw of what AWS may
be like; ``simulate`` plays a run through, on the machines of each ``pool`` and with ``pilots`` if
it has some, and ``bill`` adds up.
Nothing here asks AWS or reads a clock.

Decision 99.
"""
