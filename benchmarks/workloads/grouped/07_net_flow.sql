-- What flowed in minus what flowed out, month by month?
SELECT extract(year FROM booked_on) AS year, extract(month FROM booked_on) AS month,
       sum(CASE WHEN direction = 'credit' THEN amount ELSE -amount END) AS net
FROM transaction
GROUP BY extract(year FROM booked_on), extract(month FROM booked_on)
ORDER BY year, month
