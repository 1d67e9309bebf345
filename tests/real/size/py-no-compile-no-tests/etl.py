import pandas as pd

pd.DataFrame().to_parquet("/tmp/x")
