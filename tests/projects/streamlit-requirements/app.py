import streamlit as st

from weather import celsius

st.title("How warm is it?")
degrees = st.slider("Fahrenheit", -40, 120, 68)
st.metric("Celsius", f"{celsius(degrees):.1f}")
