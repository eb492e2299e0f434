-- How many transfers out were made on the mobile phone?
SELECT count(*) AS transfers
FROM transaction
WHERE channel = 'mobile' AND type = 'transfer_out'
