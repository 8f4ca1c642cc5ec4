"""The method of the effectiveness page: formulas, and in the simulation the truth beside the estimates."""

from __future__ import annotations

import streamlit as st

from dtsen_core.policy.effectiveness.causal import DESIGNS, OUTCOMES
from dtsen_core.present import efektivitas
from dtsen_core.regions import units
from dtsen_core.ui import cache_efektivitas, controls
from dtsen_core.ui.cache_efektivitas import Ask
from dtsen_core.ui.shell import Page

FORMULAS = (
    ("targeting", r"\mathrm{CGH}=\frac{\sum_{i\in B}w_i b_i/\sum_i w_i b_i}{\sum_{i\in B}w_i/\sum_i w_i},\quad "
                  r"TD=\Pr(R\mid B)-\Pr(R\mid\bar B),\quad C=1-2\int_0^1 L_b(p)\,dp"),
    ("poverty", r"P_\alpha=\frac{1}{W}\sum_i w_i\left(\frac{z-y_i}{z}\right)_+^{\alpha},\quad "
                r"\Delta P_\alpha=P_\alpha(y)-P_\alpha(y-b)"),
    ("places", r"N_k=E_k-Q_k,\quad s_i=\min\left(1,\frac{\left(Q-\sum_{x_j<x_i}w_j e_j\right)_+}{\sum_{x_j=x_i}w_j e_j}"
               r"\right)e_i,\quad B=\sum_i w_i s_i a_i"),
    ("reform", r"\Delta P_\alpha=\frac{1}{W}\sum_i w_i\left[\left(1-\tfrac{y_i+t_i}{z}\right)_+^{\alpha}"
               r"-\left(1-\tfrac{y_i}{z}\right)_+^{\alpha}\right],\quad "
               r"\widehat V=\frac{1}{W^2}\sum_i w_i^2\,E\left[(\psi_i'-\psi_i)^2\right]"),
    ("rd", r"\tau=\frac{\lim_{x\downarrow c}E[Y\mid x]-\lim_{x\uparrow c}E[Y\mid x]}"
           r"{\lim_{x\downarrow c}E[D\mid x]-\lim_{x\uparrow c}E[D\mid x]}"),
    ("density", r"T=\frac{\hat f_+(c)-\hat f_-(c)}{\sqrt{\hat V_++\hat V_--2\hat C}}"),
    ("did", r"ATT(g,t)=E[Y_t-Y_{g-1}\mid G=g]-E[Y_t-Y_{g-1}\mid G=\infty],\quad "
            r"\theta=\sum_{g,t\ge g}\frac{\Pr(G=g)}{\sum\Pr(G=g)}\,ATT(g,t)"),
    ("mde", r"MDE=(z_{0{,}975}+z_{0{,}8})\,se(\hat\theta)"),
)  # fmt: skip


def effect(page: Page) -> None:
    lang = page.lang
    st.header(page.t("efektivitas.method_title"), anchor=False)
    for name, formula in FORMULAS:
        st.markdown(f"**{page.t(f'efektivitas.formula_{name}')}**")
        st.latex(formula)
        st.caption(page.t(f"efektivitas.source_{name}"))
    st.subheader(page.t("efektivitas.truth_title"), anchor=False)
    if not page.dataset.simulated or not cache_efektivitas.has_panel(page.key):
        st.info(page.t("efektivitas.no_truth"), icon=":material/info:")
        return
    rules = {rule.key: rule for rule in cache_efektivitas.programmes(page.key) if rule.decile_to}
    if not rules:
        st.info(page.t("efektivitas.no_truth"), icon=":material/info:")
        return
    left, right = st.columns(2, gap="small")
    with left:
        programme = str(controls.choice(
            "program", page.t("efektivitas.control_program"), tuple(rules), next(iter(rules)),
            lambda c: rules[c].abbreviation(lang), page=page.name,
        ))  # fmt: skip
    with right:
        outcome = str(controls.choice("outcome", page.t("efektivitas.control_outcome"), OUTCOMES, OUTCOMES[0],
                                      lambda c: page.t(f"efektivitas.outcome_{c}"), page=page.name,
                                      segmented=True))  # fmt: skip
    ask = Ask(programme, units.NATION, "all", "all", 0)
    with st.spinner(page.t("efektivitas.computing")):
        verdicts = [cache_efektivitas.judged(page.key, ask, design, outcome).verdict for design in DESIGNS]
    made = efektivitas.truth_table(verdicts, cache_efektivitas.truth(page.key, programme, outcome), lang)
    st.dataframe(made.styler(lang), width="stretch", hide_index=True, alt=page.t("efektivitas.truth_title"))
    st.caption(page.t("efektivitas.truth_note"))
