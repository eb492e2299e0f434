-- How many transactions show one of three patterns that the branch desk watches?
SELECT count(*) AS watched
FROM transaction
WHERE (channel = 'atm' AND amount >= 5000)
   OR (channel = 'counter' AND type = 'cash_deposit' AND amount >= 20000)
   OR (type = 'investment_sell' AND booked_on >= DATE '2026-10-01')
