-- Quartiles of the assets in each segment
-- tolerance: 0.01
SELECT segment, percentile_cont(0.25) WITHIN GROUP (ORDER BY assets_total) AS lower,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY assets_total) AS middle,
       percentile_cont(0.75) WITHIN GROUP (ORDER BY assets_total) AS upper
FROM customer
GROUP BY segment
ORDER BY segment
-- clickhouse:
SELECT segment, quantileExactInclusive(0.25)(toFloat64(assets_total)) AS lower,
       quantileExactInclusive(0.5)(toFloat64(assets_total)) AS middle,
       quantileExactInclusive(0.75)(toFloat64(assets_total)) AS upper
FROM customer
GROUP BY segment
ORDER BY segment
