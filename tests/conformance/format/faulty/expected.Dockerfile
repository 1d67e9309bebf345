from alpine


runn a  
