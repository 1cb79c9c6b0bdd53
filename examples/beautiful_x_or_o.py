"""Is it an X or an O? The whole of a tiny CNN by hand, printed; nothing is learned, nothing hidden.

    python examples/beautiful_x_or_o.py

Asserts the maps, pooled maps and votes it prints. Takes a second on one core.
"""

import numpy as np

from opsin.data.samples import x_or_o as samples
from opsin.lessons import sliding
from opsin.lessons.printed import beside, grid, strokes
from opsin.lessons.x_or_o import FILTERS, HARDER, LETTERS, walk
from opsin.ops.convolution import convolve


def title(text: str) -> None:
    print(f"\n── {text} {'─' * (96 - len(text))}\n")


title("One place of a kernel: multiply, add up")
first, second, *_ = steps = list(sliding.places(sliding.PICTURE, sliding.KERNEL))
for step in (first, second):
    products = " + ".join(f"{n:g}" for n in step.products.ravel()).replace("+ -", "- ")
    print(f"row {step.row}, column {step.column}: {products} = {step.total:g}")
whole = convolve(sliding.PICTURE, sliding.KERNEL)
print(beside("\npicture\n" + grid(sliding.PICTURE, 0), "\nkernel\n" + grid(sliding.KERNEL, 0),
             "\nmap\n" + grid(whole, 0)))  # fmt: skip
assert [step.total for step in steps] == whole.ravel().tolist()
assert (first.total, second.total) == (4, 1)

title("The picture and three filters")
x = walk(LETTERS["X"])
print(beside(strokes(x.picture), *(f"{name}\n{strokes(f)}" for name, f in FILTERS.items())))

title("Filtered: how well each filter fits at each place (1.00 is a perfect match)")
for name, each, positive in zip(FILTERS, x.maps, x.rectified, strict=True):
    drawn = grid(each), grid(positive)
    print(
        beside(f"filter {name}\n{drawn[0]}", f"negative becomes zero (ReLU)\n{drawn[1]}"),
        end="\n\n",
    )
assert grid(x.maps[0]).splitlines()[0] == " 0.77 -0.11  0.11  0.33  0.55 -0.11  0.33"

title("The largest of each 2×2, the ragged edge kept: 7 × 7 becomes 4 × 4")
print(beside(*(f"filter {name}\n{grid(p)}" for name, p in zip(FILTERS, x.final, strict=True))))
assert grid(x.final[0]).splitlines()[0] == "1.00 0.33 0.55 0.33"

title("The vote: each number counts for the letter in whose own picture it is larger")
cases = {name: (name, picture) for name, picture in LETTERS.items()} | HARDER
wrong = []
for name, (letter, picture) in cases.items():
    found = walk(picture)
    votes = "   ".join(f"{each} {vote:.2f}" for each, vote in found.votes.items())
    print(f"{name:<34} {votes}   says {found.says}{'' if found.says == letter else ': wrong'}")
    wrong += [name] if found.says != letter else []
assert wrong == ["X turned by 45 degrees"]

title("And on letters as hands draw them")
n, right = 600, {"X": 0, "O": 0}
for index in range(n):
    letter = "XO"[index % 2]
    grey = samples.letter(letter, index, side=9).astype(float)
    inked = 2 * (grey - grey.min()) / (grey.max() - grey.min()) - 1  # paper -1, ink 1
    right[letter] += walk(inked).says == letter
shares = {letter: count / (n / 2) for letter, count in right.items()}
print(*(f"{letter}: {share:.0%} of {n // 2} right" for letter, share in shares.items()), sep="\n")
print("\nFilters and votes made up by a person do not go far. A net learns both from examples:")
print("opsin train samples:x-or-o --net lenet5 --policy scratch")
assert 0.5 < np.mean(list(shares.values())) < 0.9
