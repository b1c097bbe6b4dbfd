import numpy as np

from fercomp.decisions.fitting import pays


def test_a_gain_has_to_exceed_what_chance_may_do():
    labels = np.zeros(100, int)
    plain = np.repeat([0, 1], 50)
    better = plain.copy()
    better[50:60] = 0  # ten won, none lost
    assert pays(better, plain, labels)
    better[40:46] = 1  # and six lost: a difference of 4 among 16
    assert not pays(better, plain, labels)
    assert not pays(plain, plain, labels)
    assert not pays(plain, better, labels)
