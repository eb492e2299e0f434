-- The three highest amounts of investments sold through each channel, ties included
SELECT channel, amount, transaction_id, place
FROM (SELECT channel, amount, transaction_id,
             rank() OVER (PARTITION BY channel ORDER BY amount DESC) AS place
      FROM transaction
      WHERE type = 'investment_sell') ranked
WHERE place <= 3
ORDER BY channel, place, transaction_id
