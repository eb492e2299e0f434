-- How many transactions in foreign currency fell in a September, and how many of them carry a remark?
-- as: researcher
SELECT count(*) AS foreign_rows, count(memo) AS with_remark
FROM transaction
WHERE currency <> 'CNY' AND extract(month FROM booked_on) = 9
