"""View-models, figures, number formats, sentences and exports. No queries, no Streamlit."""
