-- The funnel of the mobile channel in October: all, payments, large ones, very large ones
SELECT count(*) AS all_rows,
       count(CASE WHEN direction = 'debit' THEN 1 END) AS debits,
       count(CASE WHEN direction = 'debit' AND amount >= 10000 THEN 1 END) AS large_debits,
       count(CASE WHEN direction = 'debit' AND amount >= 100000 THEN 1 END) AS very_large_debits
FROM transaction
WHERE channel = 'mobile' AND booked_on >= DATE '2026-10-01'
