-- How many payments of 1,000 and more went out remotely in the third quarter, in yuan?
SELECT count(*) AS payments
FROM transaction
WHERE channel IN ('mobile', 'internet')
  AND direction = 'debit'
  AND currency = 'CNY'
  AND amount >= 1000
  AND booked_on BETWEEN DATE '2026-07-01' AND DATE '2026-09-30'
