"""The only room that knows Streamlit: guard, caches, URL state, shared controls."""
