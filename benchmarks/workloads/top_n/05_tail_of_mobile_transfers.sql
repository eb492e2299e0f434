-- The amount that one mobile transfer in a hundred exceeds, in October
-- tolerance: 0.01
SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY amount) AS limit_99, count(*) AS transfers
FROM transaction
WHERE channel = 'mobile' AND type = 'transfer_out' AND booked_on >= DATE '2026-10-01'
-- clickhouse:
SELECT quantileExactInclusive(0.99)(toFloat64(amount)) AS limit_99, count(*) AS transfers
FROM transaction
WHERE channel = 'mobile' AND type = 'transfer_out' AND booked_on >= DATE '2026-10-01'
