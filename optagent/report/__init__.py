"""Values to text and JSON. Pure: computes no statistic, opens nothing."""
