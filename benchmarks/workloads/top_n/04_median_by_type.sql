-- Median and ninth decile of the amount of each type
-- tolerance: 0.01
SELECT type, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY amount) AS ninth_decile
FROM transaction
GROUP BY type
ORDER BY type
-- clickhouse:
SELECT type, quantileExactInclusive(0.5)(toFloat64(amount)) AS median,
       quantileExactInclusive(0.9)(toFloat64(amount)) AS ninth_decile
FROM transaction
GROUP BY type
ORDER BY type
