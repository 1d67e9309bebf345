import pandas as pd
from sklearn.linear_model import LinearRegression

print(pd.DataFrame({"a": [1, 2, 3]}).describe())
