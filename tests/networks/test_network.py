"""Values of any layer, module or output; the pass ends where it may."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from networks import tiny  # noqa: E402
from spaceport.errors import InputError, NotFoundError  # noqa: E402
from spaceport.networks.models import read  # noqa: E402
from spaceport.networks.network import Network  # noqa: E402
from spaceport.networks.texts import Tokenizer  # noqa: E402
from spaceport.networks.where import parse  # noqa: E402

WAY = torch.nn.functional


class Block(torch.nn.Module):
    """As in a ResNet: one ReLU is run twice, the second time on the sum."""

    def __init__(self, width):
        super().__init__()
        self.linear = torch.nn.Linear(width, width)
        self.relu = torch.nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.relu(self.linear(x)) - 0.2 + x)


class Net(torch.nn.Module):
    """Blocks by name, a part that is never run, and whatever output it is told to give."""

    def __init__(self, gives=lambda x: x):
        super().__init__()
        self.stem = torch.nn.Linear(3, 4)
        self.layer1 = torch.nn.Sequential(Block(4), Block(4))
        self.head = torch.nn.Linear(4, 2)
        self.unused = torch.nn.Linear(2, 2)
        self.gives = gives
        self.heads = 0

    def forward(self, x):
        x = self.layer1(self.stem(x))
        self.heads += 1
        return self.gives(self.head(x))


def net(gives=lambda x: x):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = Net(gives).eval()
    return Network(made, example=torch.ones(1, 3))


@pytest.fixture
def inputs():
    return torch.arange(12.0).reshape(4, 3) / 7


def taken(network, inputs, where):
    (value,) = network.capture(inputs, parse(where))
    return np.asarray(value)


def test_a_module_gives_what_a_plain_hook_sees(inputs):
    network, seen = net(), []
    hook = network.module.stem.register_forward_hook(lambda *given: seen.append(given[2].clone()))
    with torch.inference_mode():
        network.module(inputs)
    hook.remove()
    assert np.array_equal(taken(network, inputs, "stem"), seen[0])


def test_a_module_that_is_run_twice_gives_its_last_value(inputs):
    network = net()
    with torch.inference_mode():
        wanted = network.module.layer1[0](network.module.stem(inputs))
    assert np.allclose(taken(network, inputs, "layer1.0.relu"), wanted)
    assert np.allclose(taken(network, inputs, "layer1.0"), wanted)


def test_what_runs_later_in_place_does_not_reach_a_value(inputs):
    network = net()
    with torch.inference_mode():
        wanted = network.module.layer1[0].linear(network.module.stem(inputs))
    assert (wanted < 0).any()  # the ReLU behind it would make zeros of these
    network.example = None  # so that nothing is known of calls, and the whole network is run
    assert np.allclose(taken(network, inputs, "layer1.0.linear"), wanted)


def test_the_pass_ends_at_a_module_that_is_run_once(inputs):
    network = net()
    taken(network, inputs, "layer1.1.linear")
    before = network.module.heads
    taken(network, inputs, "layer1.1.linear")
    assert network.module.heads == before
    taken(network, inputs, "layer1.1.relu")  # twice in a pass: to be sure, all is run
    assert network.module.heads > before


def test_without_a_list_of_layers_last_is_the_output(inputs):
    network = net()
    with torch.inference_mode():
        assert np.array_equal(taken(network, inputs, "last"), network.module(inputs))
    with pytest.raises(NotFoundError, match=r"no list of layers.*\n.*stem \(4\).*head \(2\)"):
        network.capture(inputs, parse("first"))


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("layer1.3", r"no module `layer1.3`.\nDid you mean layer1"),
        ("unused", r"`unused` is a part of Net that is not run"),
        ("decoder last", r"one side only.\nLeave out `decoder`"),
        ("table", r"no token-embedding table|The table holds vectors of tokens"),
        ("output boxes", r"no output `boxes`.\nThere are: 0 \(4, 2\)"),
    ],
)
def test_what_is_not_there_is_answered_by_what_is(inputs, where, message):
    with pytest.raises(NotFoundError, match=message):
        net().capture(inputs, parse(where))


def test_outputs_by_name_and_place(inputs):
    both = net(lambda x: {"scores": x, "more": 2 * x, "words": ["a"]})
    pair = net(lambda x: (x, 3 * x))
    assert np.allclose(taken(both, inputs, "output more"), 2 * taken(both, inputs, "output scores"))
    assert np.allclose(taken(pair, inputs, "output 1"), 3 * taken(pair, inputs, "output 0"))
    with pytest.raises(
        InputError, match=r"2 tensors: scores \(4, 2\), more \(4, 2\).\n.*output scores"
    ):
        both.capture(inputs, parse("last"))
    with pytest.raises(InputError, match="gives NoneType"):
        net(lambda x: None).capture(inputs, parse("last"))


def test_hooks_are_gone_afterwards_even_if_the_network_fails(inputs):
    network = net()
    with pytest.raises(RuntimeError):
        network.capture(torch.ones(2, 5), parse("layer1.1.linear"))
    assert not any(module._forward_hooks for module in network.module.modules())


def test_a_tuple_of_a_module_lists_its_tensors():
    class Recurrent(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.GRU(3, 4, batch_first=True)

        def forward(self, x):
            return self.lstm(x)[0]

    network = Network(Recurrent().eval(), example=torch.ones(1, 2, 3))
    assert taken(network, torch.ones(2, 5, 3), "last").shape == (2, 5, 4)
    with pytest.raises(InputError, match=r"`lstm` gives 2 tensors: 0 \(2, 5, 4\), 1 \(1, 2, 4\)"):
        network.capture(torch.ones(2, 5, 3), parse("lstm"))


@pytest.fixture(scope="module", params=["albert", "bart", "bert", "gpt2", "t5"])
def read_model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    tiny.save(folder, request.param)
    network = read(folder)
    network.example = Tokenizer(folder).pieces(["a cat"]).batch(np.array([0]))[0]
    return network


def test_layers_are_counted_by_side(read_model):
    if read_model.two_sided:
        assert len(read_model.layers()) == len(read_model.layers("encoder")) == 3
        assert len(read_model.layers("decoder")) == 2
    else:
        assert len(read_model.layers()) == 3


def test_description_names_every_module_with_shape_and_size(read_model):
    parts = {part.name: part for part in read_model.describe()}
    modules = dict(read_model.module.named_modules())
    assert parts.keys() == modules.keys() - {""}
    for layer in read_model.layers():
        (part,) = [parts[name] for name, module in modules.items() if module is layer]
        assert part.shape == (4, 16)
        assert part.parameters == sum(p.numel() for p in layer.parameters())
    numbered = sorted((p.side, p.layer) for p in parts.values() if p.layer is not None)
    sides = [("decoder", 2), ("encoder", 3)] if read_model.two_sided else [("", 3)]
    if "Albert" not in type(read_model.module).__name__:  # its one layer is run three times
        assert numbered == [(side, n) for side, count in sides for n in range(1, count + 1)]


def test_only_as_many_layers_run_as_are_needed(read_model):
    layers = read_model.layers()
    runs = []
    hooks = [
        layer.register_forward_hook(lambda *_: runs.append(1)) for layer in dict.fromkeys(layers)
    ]
    read_model.capture(read_model.example, parse("mean of 0, 2"))
    for hook in hooks:
        hook.remove()
    assert len(runs) == 2


def test_the_list_of_layers_is_no_list_inside_a_layer():
    class Expert(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.experts = torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(8))

    class Mixture(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.ModuleList(Expert() for _ in range(2))

    assert len(Network(Mixture()).layers()) == 2
