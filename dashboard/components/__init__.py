"""Streamlit components: what runs in the browser."""
